//! Disables a user.

use super::{DisableError, UseCases};
use crate::domain::{User, UserId};
use crate::ports::{Hasher, Store};

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Disables a user on behalf of an admin, unless that admin is disabled.
    pub async fn disable_user(&self, by: Option<UserId>, id: UserId) -> Result<User, DisableError> {
        self.set_disabled(by, id, true).await
    }
}
