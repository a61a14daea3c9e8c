//! The saved addresses of a user.

use mart_kernel::StoreError;

use super::{UseCases, UserError};
use crate::domain::{AccountDecider, Address, AddressBook, User, UserId};
use crate::ports::{Hasher, Scope, Store};

/// The errors of saving an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressError {
    /// The user has the largest number of addresses already.
    TooMany,
    /// The user does not exist, or the store failed.
    User(UserError),
}

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Returns the addresses of a user, or `None` if the user does not exist.
    pub async fn addresses(&self, id: UserId) -> Result<Option<AddressBook>, StoreError> {
        match self.store.find(id).await? {
            Some(_) => Ok(Some(self.store.addresses(id).await?)),
            None => Ok(None),
        }
    }

    /// Saves an address with a label and returns the stored label. An existing address with this label is replaced.
    pub async fn set_address(&self, id: UserId, label: String, address: Address) -> Result<String, AddressError> {
        let set = self.address_book(id, move |accounts| accounts.set_address(id, &label, address)).await;
        set.map_err(AddressError::User)?.ok_or(AddressError::TooMany)
    }

    /// Deletes the address with a label, if there is one.
    pub async fn remove_address(&self, id: UserId, label: String) -> Result<(), UserError> {
        self.address_book(id, move |accounts| accounts.remove_address(id, &label)).await
    }

    async fn address_book<T: Send + 'static>(
        &self,
        id: UserId,
        step: impl FnOnce(&mut AccountDecider) -> T + Send + 'static,
    ) -> Result<T, UserError> {
        let scope = Scope { addresses_of: Some(id), ..Scope::default() };
        let step = move |accounts: &mut AccountDecider| {
            accounts.user(id).filter(|user| User::may_log_in(user)).ok_or(UserError::NotFound)?;
            Ok(step(accounts))
        };
        self.decide(scope, step).await.map_err(UserError::Unavailable)?
    }
}
