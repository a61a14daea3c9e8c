//! What a user says of himself.

use mart_kernel::{StoreError, Version};

use super::UseCases;
use crate::domain::{AccountDecider, Profile, User, UserId};
use crate::ports::{Hasher, Scope, Store};

/// Why nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateError {
    /// There is no such user.
    NotFound,
    /// Somebody has changed it since it was seen.
    Changed,
    /// The store can't be reached.
    Unavailable(StoreError),
}

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// The user of an id.
    pub async fn get_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.store.find(id).await
    }

    /// Changes the profile, where it is still at the version that was seen.
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
