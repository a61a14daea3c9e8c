//! Sets a password by a mailed link.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::events::Token;
use crate::domain::{Digest, is_weak};
use crate::ports::{Hasher, Overloaded, Scope, Store};

/// The errors of resetting a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResetError {
    /// The link is invalid, expired or used.
    #[error("the link is invalid, expired or used")]
    Link,
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

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Sets a password by the secret of a link, and ends all sessions.
    pub async fn reset_password(&self, token: &Token, password: String) -> Result<(), ResetError> {
        let scope = Scope { link: Some(Digest::of(&token.0)), ..Scope::default() };
        let email =
            self.decide(scope.clone(), |accounts| accounts.pending_reset().map(|user| user.email.clone())).await?;
        if is_weak(&password, &email.ok_or(ResetError::Link)?) {
            return Err(ResetError::Weak);
        }
        let password = self.hasher.hash(password).await?;
        if self.decide(scope, move |accounts| accounts.reset(password)).await? { Ok(()) } else { Err(ResetError::Link) }
    }
}
