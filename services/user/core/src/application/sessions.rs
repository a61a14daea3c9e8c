//! Sessions: log in, refresh, log out.

use std::net::IpAddr;

use mart_kernel::{StoreError, Timestamp};

use super::{TemporaryError, UseCases};
use crate::domain::events::Token;
use crate::domain::{AccountDecider, Digest, Email, PasswordHash, User, UserId, throttle};
use crate::ports::{Hasher, Scope, Store};

/// A session with its new refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedIn {
    /// The user.
    pub user: User,
    /// The new refresh token.
    pub token: Token,
    /// When the session expires.
    pub until: Timestamp,
}

/// The errors of starting a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogInError {
    /// The address or the password is wrong, the mailbox is not verified, or the user is disabled.
    Wrong,
    /// Too many failures; the next attempt is allowed at this time.
    TooManyAttempts(Timestamp),
    /// A temporary error.
    Temporary(TemporaryError),
}

impl<E: Into<TemporaryError>> From<E> for LogInError {
    fn from(error: E) -> Self {
        Self::Temporary(error.into())
    }
}

/// The errors of refreshing a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshError {
    /// The session has ended or never existed.
    Ended,
    /// The store failed.
    Unavailable(StoreError),
}

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Opens a session. `from` is the client's network address, if it is known.
    pub async fn log_in(&self, email: Email, password: String, from: Option<IpAddr>) -> Result<LoggedIn, LogInError> {
        let throttle = throttle_subjects(&email, from);
        let (user, hash) = self.authenticate(&email, password, &throttle).await?;
        let token = self.secrets.next();
        let scope = Scope { users: vec![user], throttle, ..Scope::default() };
        let issued = token.clone();
        let step = move |accounts: &mut AccountDecider| accounts.log_in(user, &hash, &issued).ok_or(LogInError::Wrong);
        let (user, until) = self.decide(scope, step).await??;
        Ok(LoggedIn { user, token, until })
    }

    /// Exchanges a refresh token.
    pub async fn refresh(&self, presented: &Token) -> Result<LoggedIn, RefreshError> {
        let scope = Scope { token: Some(Digest::of(&presented.0)), ..Scope::default() };
        let token = self.secrets.next();
        let issued = token.clone();
        let refreshed = self.decide(scope, move |accounts| accounts.refresh(&issued)).await;
        let (user, until) = refreshed.map_err(RefreshError::Unavailable)?.ok_or(RefreshError::Ended)?;
        Ok(LoggedIn { user, token, until })
    }

    /// Ends the session of a refresh token. Returns whether there is one.
    pub async fn log_out(&self, presented: &Token) -> Result<bool, StoreError> {
        let scope = Scope { token: Some(Digest::of(&presented.0)), ..Scope::default() };
        self.decide(scope, AccountDecider::log_out).await
    }

    /// Ends all sessions of a user. Returns whether the user exists.
    pub async fn log_out_everywhere(&self, id: UserId) -> Result<bool, StoreError> {
        let scope = Scope { users: vec![id], ..Scope::default() };
        let step = move |accounts: &mut AccountDecider| {
            let known = accounts.user(id).is_some();
            accounts.log_out_everywhere(id);
            known
        };
        self.decide(scope, step).await
    }

    /// Returns the user with this address and password, and the hash that was checked.
    pub(super) async fn authenticate(
        &self,
        email: &Email,
        password: String,
        throttle: &[String],
    ) -> Result<(UserId, PasswordHash), LogInError> {
        let user = self.store.verified(email).await?.filter(User::may_log_in);
        self.verify_password(user.map(|user| (user.id, user.password)), password, throttle).await
    }

    /// Checks the password of a user and returns the user with the hash that was checked. Without a user, the work is the same and
    /// the password is wrong. The attempt is counted for all subjects; the caller's next step resets the count after a success.
    pub(super) async fn verify_password(
        &self,
        user: Option<(UserId, PasswordHash)>,
        password: String,
        throttle: &[String],
    ) -> Result<(UserId, PasswordHash), LogInError> {
        let (scope, subjects) = (Scope { throttle: throttle.to_vec(), ..Scope::default() }, throttle.to_vec());
        let counted = self.decide(scope.clone(), move |accounts| accounts.attempt(&subjects)).await?;
        counted.map_err(LogInError::TooManyAttempts)?;
        match self.hasher.verify(password, user.as_ref().map(|(_, hash)| hash.clone())).await {
            Ok(matches) => user.filter(|_| matches).ok_or(LogInError::Wrong),
            Err(overloaded) => {
                self.decide(scope, AccountDecider::uncount).await?;
                Err(overloaded.into())
            }
        }
    }
}

/// Returns the throttled subjects of an attempt: the account, whether it exists or not, and the network.
pub(super) fn throttle_subjects(email: &Email, from: Option<IpAddr>) -> Vec<String> {
    std::iter::once(throttle::of_account(email)).chain(from.map(throttle::of_network)).collect()
}
