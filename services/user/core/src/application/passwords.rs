//! Changes and resets passwords.

use std::net::IpAddr;

use mart_kernel::Timestamp;

use super::sessions::throttle_subjects;
use super::{LogInError, TemporaryError, UseCases};
use crate::domain::events::Token;
use crate::domain::{AccountDecider, Digest, Email, UserId, is_weak, throttle};
use crate::ports::{Hasher, Scope, Store};

/// The errors of changing a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeError {
    /// The user does not exist.
    NotFound,
    /// The current password is wrong.
    Wrong,
    /// Too many failures; the next attempt is allowed at this time.
    TooManyAttempts(Timestamp),
    /// The new password is weak.
    Weak,
    /// A temporary error.
    Temporary(TemporaryError),
}

impl<E: Into<TemporaryError>> From<E> for ChangeError {
    fn from(error: E) -> Self {
        Self::Temporary(error.into())
    }
}

/// The errors of requesting a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailError {
    /// Too many mails; the next one is allowed at this time.
    TooManyAttempts(Timestamp),
    /// A temporary error.
    Temporary(TemporaryError),
}

impl<E: Into<TemporaryError>> From<E> for MailError {
    fn from(error: E) -> Self {
        Self::Temporary(error.into())
    }
}

/// The errors of resetting a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetError {
    /// The link is invalid, expired or used.
    Link,
    /// The new password is weak.
    Weak,
    /// A temporary error.
    Temporary(TemporaryError),
}

impl<E: Into<TemporaryError>> From<E> for ResetError {
    fn from(error: E) -> Self {
        Self::Temporary(error.into())
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
    ) -> Result<(), ChangeError> {
        let user = self.store.find(id).await?.ok_or(ChangeError::NotFound)?;
        if is_weak(&password, &user.email) {
            return Err(ChangeError::Weak);
        }
        let throttle = throttle_subjects(&user.email, from);
        let authenticated = self.authenticate(&user.email, current, &throttle).await;
        let (_, known) = authenticated.map_err(|error| match error {
            LogInError::Wrong => ChangeError::Wrong,
            LogInError::TooManyAttempts(until) => ChangeError::TooManyAttempts(until),
            LogInError::Temporary(error) => ChangeError::Temporary(error),
        })?;
        let password = self.hasher.hash(password).await?;
        let scope = Scope { users: vec![id], throttle, ..Scope::default() };
        let step = move |accounts: &mut AccountDecider| accounts.change_password(id, &known, password);
        if self.decide(scope, step).await? { Ok(()) } else { Err(ChangeError::Wrong) }
    }

    /// Sends a reset link, if the address has a user who may log in. The result does not reveal whether it has.
    pub async fn request_password_reset(&self, email: Email) -> Result<(), MailError> {
        let mails = vec![throttle::of_mails(&email)];
        let scope = Scope { email: Some(email.clone()), throttle: mails.clone(), ..Scope::default() };
        let token = self.secrets.next();
        let step = move |accounts: &mut AccountDecider| {
            accounts.attempt(&mails)?;
            accounts.request_reset(&email, &token);
            Ok(())
        };
        self.decide(scope, step).await?.map_err(MailError::TooManyAttempts)
    }

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
