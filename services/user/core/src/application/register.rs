//! Registering, and proving the mailbox.

use std::net::IpAddr;

use mart_kernel::{StoreError, Timestamp};

use super::sessions::throttle;
use super::{LogInError, TemporaryError, UseCases};
use crate::domain::events::Token;
use crate::domain::{AccountDecider, Digest, Email, Profile, is_weak, throttle};
use crate::ports::{Hasher, Scope, Store};

/// Why nobody was registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegisterError {
    /// The password is easy to guess.
    Weak,
    /// The mailbox got too many mails: not before this.
    TooManyAttempts(Timestamp),
    /// Not now.
    Temporary(TemporaryError),
}

/// Why no mailbox was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifyError {
    /// The link was used, is too old, or never was.
    Link,
    /// The password is not that of the registration, or can't be looked at now.
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
    /// Registers an address. Who asks is never told whether it has a user: the mailbox is.
    pub async fn register(&self, email: Email, password: String, profile: Profile) -> Result<(), RegisterError> {
        if is_weak(&password, &email) {
            return Err(RegisterError::Weak);
        }
        let mails = vec![throttle::of_mails(&email)];
        if let Some(until) = self.braked(&mails).await? {
            return Err(RegisterError::TooManyAttempts(until));
        }
        // Always, so that the time does not tell either.
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

    /// Proves the mailbox of a registration by the secret of its link and the password that it named. A wrong password leaves
    /// the link as it is.
    pub async fn verify_email(&self, token: &Token, password: String, from: Option<IpAddr>) -> Result<(), VerifyError> {
        let scope = Scope { link: Some(Digest::of(&token.0)), ..Scope::default() };
        let whose = |accounts: &mut AccountDecider| {
            accounts.proves().map(|user| (user.id, user.email.clone(), user.password.clone()))
        };
        let (id, email, hash) = self.decide(scope.clone(), whose).await?.ok_or(VerifyError::Link)?;
        let throttle = throttle(&email, from);
        self.knows(Some((id, hash)), password, &throttle).await?;
        let scope = Scope { throttle, ..scope };
        if self.decide(scope, AccountDecider::verify).await? { Ok(()) } else { Err(VerifyError::Link) }
    }

    /// Makes an admin whose mailbox the operator vouches for; whether there was no user of that address yet.
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
