//! Returns a user.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{User, UserId};
use crate::ports::{Hasher, Store};

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Returns a user, or `None` if they do not exist or are not verified.
    pub async fn get_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.store.find(id).await
    }
}
