//! Verifies the mailbox of a registration.

use std::net::IpAddr;

use mart_kernel::StoreError;

use super::{LogInError, UseCases, throttle_subjects};
use crate::domain::events::Token;
use crate::domain::{AccountDecider, Digest};
use crate::ports::{Hasher, Scope, Store};

/// The errors of verifying a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The link is invalid, expired or used.
    #[error("the link is invalid, expired or used")]
    Link,
    /// The password is not that of the registration, or could not be checked.
    #[error(transparent)]
    Password(#[from] LogInError),
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Verifies the mailbox of a registration by the secret of its link and its password. A wrong password leaves the link valid.
    pub async fn verify_email(&self, token: &Token, password: String, from: Option<IpAddr>) -> Result<(), VerifyError> {
        let scope = Scope { link: Some(Digest::of(&token.0)), ..Scope::default() };
        let pending = |accounts: &mut AccountDecider| {
            accounts.pending_verification().map(|user| (user.id, user.email.clone(), user.password.clone()))
        };
        let (id, email, hash) = self.decide(scope.clone(), pending).await?.ok_or(VerifyError::Link)?;
        let throttle = throttle_subjects(&email, from);
        self.verify_password(Some((id, hash)), password, &throttle).await?;
        let scope = Scope { throttle, ..scope };
        if self.decide(scope, AccountDecider::verify).await? { Ok(()) } else { Err(VerifyError::Link) }
    }
}
