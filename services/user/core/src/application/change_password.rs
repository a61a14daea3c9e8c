//! Changes a password.

use std::net::IpAddr;

use mart_kernel::{StoreError, Timestamp};

use super::{LogInError, UseCases, throttle_subjects};
use crate::domain::{AccountDecider, UserId, is_weak};
use crate::ports::{Hasher, Overloaded, Scope, Store};

/// The errors of changing a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangePasswordError {
    /// The user does not exist.
    #[error("the user does not exist")]
    NotFound,
    /// The current password is wrong.
    #[error("the current password is wrong")]
    Wrong,
    /// Too many failures; the next attempt is allowed at this time.
    #[error("too many attempts failed")]
    TooManyAttempts(Timestamp),
    /// The new password is weak.
    #[error("the new password is weak")]
    Weak,
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
    /// Too many passwords wait to be hashed.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
}

impl From<LogInError> for ChangePasswordError {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::Wrong => Self::Wrong,
            LogInError::TooManyAttempts(until) => Self::TooManyAttempts(until),
            LogInError::Unavailable(error) => Self::Unavailable(error),
            LogInError::Overloaded(error) => Self::Overloaded(error),
        }
    }
}

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Changes the password of a user who knows the current one, and ends all sessions.
    pub async fn change_password(
        &self,
        id: UserId,
        current: String,
        password: String,
        from: Option<IpAddr>,
    ) -> Result<(), ChangePasswordError> {
        let user = self.store.find(id).await?.ok_or(ChangePasswordError::NotFound)?;
        if is_weak(&password, &user.email) {
            return Err(ChangePasswordError::Weak);
        }
        let throttle = throttle_subjects(&user.email, from);
        let (_, known) = self.authenticate(&user.email, current, &throttle).await?;
        let password = self.hasher.hash(password).await?;
        let scope = Scope { users: vec![id], throttle, ..Scope::default() };
        let step = move |accounts: &mut AccountDecider| accounts.change_password(id, &known, password);
        if self.decide(scope, step).await? { Ok(()) } else { Err(ChangePasswordError::Wrong) }
    }
}
