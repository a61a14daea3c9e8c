//! Changes the profile of a user.

use mart_kernel::{StoreError, Version};

use super::UseCases;
use crate::domain::{AccountDecider, Profile, User, UserId};
use crate::ports::{Hasher, Scope, Store};

/// The errors of updating the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// The user does not exist.
    #[error("the user does not exist")]
    NotFound,
    /// The profile was changed since it was read.
    #[error("the profile was changed since it was read")]
    Changed,
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Changes the profile if it is still at the version that was read.
    pub async fn update_me(
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
        self.decide(scope, step).await?
    }
}
