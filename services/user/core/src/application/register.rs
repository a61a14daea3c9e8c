//! Registration and verification.

use std::net::IpAddr;

use mart_kernel::{StoreError, Timestamp};

use super::sessions::throttle_subjects;
use super::{LogInError, TemporaryError, UseCases};
use crate::domain::events::Token;
use crate::domain::{AccountDecider, Digest, Email, Profile, is_weak, throttle};
use crate::ports::{Hasher, Scope, Store};

/// The errors of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegisterError {
    /// The password is weak.
    Weak,
    /// Too many mails to the mailbox; the next one is allowed at this time.
    TooManyAttempts(Timestamp),
    /// A temporary error.
    Temporary(TemporaryError),
}

/// The errors of verifying a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifyError {
    /// The link is invalid, expired or used.
    Link,
    /// The password is not that of the registration, or could not be checked.
    Password(LogInError),
}

impl From<LogInError> for VerifyError {
    fn from(error: LogInError) -> Self {
        Self::Password(error)
    }
}

impl From<StoreError> for VerifyError {
    fn from(error: StoreError) -> Self {
        Self::Password(error.into())
    }
}

impl<E: Into<TemporaryError>> From<E> for RegisterError {
    fn from(error: E) -> Self {
        Self::Temporary(error.into())
    }
}

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Registers a user. The result does not reveal whether the address already has a user; the mail does.
    pub async fn register(&self, email: Email, password: String, profile: Profile) -> Result<(), RegisterError> {
        if is_weak(&password, &email) {
            return Err(RegisterError::Weak);
        }
        let mails = vec![throttle::of_mails(&email)];
        if let Some(until) = self.throttled_until(&mails).await? {
            return Err(RegisterError::TooManyAttempts(until));
        }
        // Hashed in both cases, so that the response time does not reveal it either.
        let password = self.hasher.hash(password).await?;
        let scope = Scope { email: Some(email.clone()), throttle: mails.clone(), ..Scope::default() };
        let token = self.secrets.next();
        let step = move |accounts: &mut AccountDecider| {
            accounts.attempt(&mails)?;
            accounts.register(email, password, profile, &token);
            Ok(())
        };
        self.decide(scope, step).await?.map_err(RegisterError::TooManyAttempts)
    }

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

    /// Creates a verified admin without a link. Returns `false` if the address already has a verified user.
    pub async fn create_admin(&self, email: Email, password: String, profile: Profile) -> Result<bool, RegisterError> {
        if is_weak(&password, &email) {
            return Err(RegisterError::Weak);
        }
        let password = self.hasher.hash(password).await?;
        let scope = Scope { email: Some(email.clone()), ..Scope::default() };
        let step = move |accounts: &mut AccountDecider| accounts.create_admin(email, password, profile);
        Ok(self.decide(scope, step).await?)
    }
}
