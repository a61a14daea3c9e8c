//! Deletes a saved address.

use super::{UseCases, UserError};
use crate::domain::UserId;
use crate::ports::{Hasher, Store};

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Deletes the address with a label, if there is one.
    pub async fn remove_address(&self, id: UserId, label: String) -> Result<(), UserError> {
        self.change_addresses(id, move |accounts| accounts.remove_address(id, &label)).await
    }
}
