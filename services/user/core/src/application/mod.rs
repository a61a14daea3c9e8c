//! The use cases. Each commits at most once. Passwords are hashed before the commit, never within.

mod change_password;
mod create_admin;
mod disable_user;
mod enable_user;
mod get_user;
mod list_addresses;
mod list_users;
mod log_in;
mod log_out;
mod log_out_everywhere;
mod purge_expired;
mod refresh_session;
mod register;
mod remove_address;
mod republish_users;
mod request_password_reset;
mod reset_password;
mod set_address;
mod update_me;
mod verify_email;

use std::net::IpAddr;
use std::sync::Arc;

use mart_kernel::{Clock, IdGenerator, PageTokenSigner, StoreError, Timestamp};

use crate::domain::events::Token;
use crate::domain::{AccountDecider, Change, Email, PasswordHash, Policy, Rows, User, UserId, throttle};
use crate::ports::{Hasher, Overloaded, Scope, Secrets, Store};

pub use change_password::ChangePasswordError;
pub use refresh_session::RefreshError;
pub use request_password_reset::MailError;
pub use reset_password::ResetError;
pub use set_address::AddressError;
pub use update_me::UpdateError;
pub use verify_email::VerifyError;

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

/// The errors of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The password is weak.
    #[error("the password is weak")]
    Weak,
    /// Too many mails to the mailbox; the next one is allowed at this time.
    #[error("too many mails were sent to the mailbox")]
    TooManyAttempts(Timestamp),
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
    /// Too many passwords wait to be hashed.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
}

/// The errors of checking a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogInError {
    /// The address or the password is wrong, the mailbox is not verified, or the user is disabled.
    #[error("the address or the password is wrong")]
    Wrong,
    /// Too many failures; the next attempt is allowed at this time.
    #[error("too many attempts failed")]
    TooManyAttempts(Timestamp),
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
    /// Too many passwords wait to be hashed.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
}

/// The errors of changing the addresses of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// The user does not exist.
    #[error("the user does not exist")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// The errors of disabling and enabling a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DisableError {
    /// The user does not exist.
    #[error("the user does not exist")]
    NotFound,
    /// The caller is disabled.
    #[error("the caller is disabled")]
    CallerDisabled,
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// The use cases with their ports.
#[derive(Clone)]
pub struct UseCases<S, H> {
    store: S,
    hasher: H,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    page_tokens: PageTokenSigner,
    policy: Policy,
}

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Creates the use cases. `page_tokens` signs page tokens; `policy` has lifetimes and limits.
    pub fn new(
        store: S,
        hasher: H,
        secrets: Arc<dyn Secrets>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
        page_tokens: PageTokenSigner,
        policy: Policy,
    ) -> Self {
        Self { store, hasher, secrets, clock, ids, page_tokens, policy }
    }

    /// Returns the user with this address and password, and the hash that was checked.
    async fn authenticate(
        &self,
        email: &Email,
        password: String,
        throttle: &[String],
    ) -> Result<(UserId, PasswordHash), LogInError> {
        let user = self.store.find_by_email(email).await?.filter(User::may_log_in);
        self.verify_password(user.map(|user| (user.id, user.password)), password, throttle).await
    }

    /// Checks the password of a user and returns the user with the hash that was checked. Without a user, the work is the same and
    /// the password is wrong. The attempt is counted for all subjects; the caller's next step resets the count after a success.
    async fn verify_password(
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

    /// Disables or enables a user. A disabled admin is rejected, although their access token is still valid for some minutes.
    async fn set_disabled(&self, by: Option<UserId>, id: UserId, disabled: bool) -> Result<User, DisableError> {
        let scope = Scope { users: by.into_iter().chain([id]).collect(), ..Scope::default() };
        let step = move |accounts: &mut AccountDecider| {
            if by.and_then(|by| accounts.user(by)).is_some_and(|by| by.disabled) {
                return Err(DisableError::CallerDisabled);
            }
            accounts.set_disabled(id, disabled);
            accounts.user(id).filter(|user| user.verified).cloned().ok_or(DisableError::NotFound)
        };
        self.decide(scope, step).await?
    }

    /// Decides a change of the addresses of a user who may log in.
    async fn change_addresses<T: Send + 'static>(
        &self,
        id: UserId,
        step: impl FnOnce(&mut AccountDecider) -> T + Send + 'static,
    ) -> Result<T, UserError> {
        let scope = Scope { addresses_of: Some(id), ..Scope::default() };
        let step = move |accounts: &mut AccountDecider| {
            accounts.user(id).filter(|user| User::may_log_in(user)).ok_or(UserError::NotFound)?;
            Ok(step(accounts))
        };
        self.decide(scope, step).await?
    }

    /// Decides a change of the rows of a scope.
    async fn decide<T: Send + 'static>(
        &self,
        scope: Scope,
        step: impl FnOnce(&mut AccountDecider) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (now, ids, policy) = (self.clock.now(), self.ids.clone(), self.policy);
        let decide = move |rows: Rows| -> (Change, T) {
            let mut accounts = AccountDecider::open(rows, now, ids, policy);
            let outcome = step(&mut accounts);
            (accounts.close(), outcome)
        };
        self.store.decide(scope, decide).await
    }
}

/// Returns the throttled subjects of an attempt: the account, whether it exists or not, and the network.
fn throttle_subjects(email: &Email, from: Option<IpAddr>) -> Vec<String> {
    std::iter::once(throttle::of_account(email)).chain(from.map(throttle::of_network)).collect()
}

impl<S, H> std::fmt::Debug for UseCases<S, H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UseCases")
    }
}
