//! Saves an address of a user.

use super::{UseCases, UserError};
use crate::domain::{Address, UserId};
use crate::ports::{Hasher, Store};

/// The errors of saving an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The user has the largest number of addresses already.
    #[error("the user has too many addresses")]
    TooMany,
    /// The user does not exist, or the store failed.
    #[error(transparent)]
    User(#[from] UserError),
}

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Saves an address with a label and returns the stored label. An existing address with this label is replaced.
    pub async fn set_address(&self, id: UserId, label: String, address: Address) -> Result<String, AddressError> {
        let set = self.change_addresses(id, move |accounts| accounts.set_address(id, &label, address)).await?;
        set.ok_or(AddressError::TooMany)
    }
}
