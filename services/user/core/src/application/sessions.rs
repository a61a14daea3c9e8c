//! Logging in, staying so and logging out.

use std::net::IpAddr;

use mart_kernel::{StoreError, Timestamp};

use super::{TemporaryError, UseCases};
use crate::domain::events::Token;
use crate::domain::{AccountDecider, Digest, Email, PasswordHash, User, UserId, throttle};
use crate::ports::{Hasher, Scope, Store};

/// A session that goes on: whose it is, and what keeps it open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedIn {
    /// Whose.
    pub user: User,
    /// The new refresh token.
    pub token: Token,
    /// Until when the session ttl.
    pub until: Timestamp,
}

/// Why there is no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogInError {
    /// The address or the password is wrong, the mailbox is not proved, or the user is disabled.
    Wrong,
    /// There were too many failures: not before this.
    TooManyAttempts(Timestamp),
    /// Not now.
    Temporary(TemporaryError),
}

impl<E: Into<TemporaryError>> From<E> for LogInError {
    fn from(error: E) -> Self {
        Self::Temporary(error.into())
    }
}

/// Why a session does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshError {
    /// It has ended, or never was.
    Ended,
    /// The store can't be reached.
    Unavailable(StoreError),
}

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Opens a session. `from` is the address of the network that the request comes from, where it is known.
    pub async fn log_in(&self, email: Email, password: String, from: Option<IpAddr>) -> Result<LoggedIn, LogInError> {
        let throttle = throttle(&email, from);
        let (user, hash) = self.prove(&email, password, &throttle).await?;
        let token = self.secrets.next();
        let scope = Scope { users: vec![user], throttle, ..Scope::default() };
        let given = token.clone();
        let step = move |accounts: &mut AccountDecider| accounts.log_in(user, &hash, &given).ok_or(LogInError::Wrong);
        let (user, until) = self.decide(scope, step).await??;
        Ok(LoggedIn { user, token, until })
    }

    /// Exchanges a refresh token for a new one.
    pub async fn refresh(&self, shown: &Token) -> Result<LoggedIn, RefreshError> {
        let scope = Scope { token: Some(Digest::of(&shown.0)), ..Scope::default() };
        let token = self.secrets.next();
        let given = token.clone();
        let goes_on = self.decide(scope, move |accounts| accounts.refresh(&given)).await;
        let (user, until) = goes_on.map_err(RefreshError::Unavailable)?.ok_or(RefreshError::Ended)?;
        Ok(LoggedIn { user, token, until })
    }

    /// Ends the session of a refresh token; whether there is one.
    pub async fn log_out(&self, shown: &Token) -> Result<bool, StoreError> {
        let scope = Scope { token: Some(Digest::of(&shown.0)), ..Scope::default() };
        self.decide(scope, AccountDecider::log_out).await
    }

    /// Ends all sessions of a user; whether there is one.
    pub async fn log_out_everywhere(&self, id: UserId) -> Result<bool, StoreError> {
        let scope = Scope { users: vec![id], ..Scope::default() };
        let step = move |accounts: &mut AccountDecider| {
            let known = accounts.user(id).is_some();
            accounts.log_out_everywhere(id);
            known
        };
        self.decide(scope, step).await
    }

    /// Whose address and password these are, and the hash that was known.
    pub(super) async fn prove(
        &self,
        email: &Email,
        password: String,
        throttle: &[String],
    ) -> Result<(UserId, PasswordHash), LogInError> {
        let user = self.store.proved(email).await?.filter(User::may_log_in);
        self.knows(user.map(|user| (user.id, user.password)), password, throttle).await
    }

    /// Whether somebody knows the password of a user, where there is one; a failure slows down all that are named. Who knows it is
    /// released by what he does next.
    pub(super) async fn knows(
        &self,
        user: Option<(UserId, PasswordHash)>,
        password: String,
        throttle: &[String],
    ) -> Result<(UserId, PasswordHash), LogInError> {
        let (scope, subjects) = (Scope { throttle: throttle.to_vec(), ..Scope::default() }, throttle.to_vec());
        let tried = self.decide(scope.clone(), move |accounts| accounts.attempt(&subjects)).await?;
        tried.map_err(LogInError::TooManyAttempts)?;
        match self.hasher.verify(password, user.as_ref().map(|(_, hash)| hash.clone())).await {
            Ok(right) => user.filter(|_| right).ok_or(LogInError::Wrong),
            Err(busy) => {
                self.decide(scope, AccountDecider::take_back).await?;
                Err(busy.into())
            }
        }
    }
}

/// What a failure slows down: the account, whether there is one or not, and where the request comes from.
pub(super) fn throttle(email: &Email, from: Option<IpAddr>) -> Vec<String> {
    std::iter::once(throttle::of_account(email)).chain(from.map(throttle::of_network)).collect()
}
