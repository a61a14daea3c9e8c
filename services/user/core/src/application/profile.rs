//! The profile of a user.

use mart_kernel::{StoreError, Version};

use super::UseCases;
use crate::domain::{AccountDecider, Profile, User, UserId};
use crate::ports::{Hasher, Scope, Store};

/// The errors of updating the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateError {
    /// The user does not exist.
    NotFound,
    /// The profile was changed since it was read.
    Changed,
    /// The store failed.
    Unavailable(StoreError),
}

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Returns a user.
    pub async fn get_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.store.find(id).await
    }

    /// Changes the profile if it is still at the version that was read.
    pub async fn update_profile(
        &self,
        id: UserId,
        seen: Option<Version>,
        change: impl FnOnce(&mut Profile) + Send + 'static,
    ) -> Result<User, UpdateError> {
        let scope = Scope { users: vec![id], ..Scope::default() };
        let step = move |accounts: &mut AccountDecider| {
            let user = accounts.user(id).filter(|user| user.may_log_in()).ok_or(UpdateError::NotFound)?;
            if seen.is_some_and(|seen| seen != user.version) {
                return Err(UpdateError::Changed);
            }
            let mut profile = user.profile.clone();
            change(&mut profile);
            accounts.update(id, profile);
            accounts.user(id).cloned().ok_or(UpdateError::NotFound)
        };
        self.decide(scope, step).await.map_err(UpdateError::Unavailable)?
    }
}
