//! Lists the saved addresses of a user.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{AddressBook, UserId};
use crate::ports::{Hasher, Store};

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Returns the addresses of a user, or `None` if the user does not exist.
    pub async fn list_addresses(&self, id: UserId) -> Result<Option<AddressBook>, StoreError> {
        match self.store.find(id).await? {
            Some(_) => Ok(Some(self.store.find_addresses(id).await?)),
            None => Ok(None),
        }
    }
}
