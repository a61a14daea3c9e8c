//! The use cases. Each commits at most once. Passwords are hashed before the commit, never within.

mod addresses;
mod admin;
mod passwords;
mod profile;
mod register;
mod sessions;

use std::sync::Arc;

use mart_kernel::{Clock, IdGenerator, PageTokenSigner, StoreError, Timestamp};

use crate::domain::{AccountDecider, Change, Policy, Rows};
use crate::ports::{Hasher, Overloaded, Scope, Secrets, Store};

pub use addresses::AddressError;
pub use admin::{DisableError, ListError, Republished, UserError};
pub use passwords::{ChangeError, MailError, ResetError};
pub use profile::UpdateError;
pub use register::{RegisterError, VerifyError};
pub use sessions::{LogInError, LoggedIn, RefreshError};

/// The use cases with their ports.
pub struct UseCases<S, H> {
    store: S,
    hasher: H,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    page_tokens: PageTokenSigner,
    policy: Policy,
}

impl<S: Clone, H: Clone> Clone for UseCases<S, H> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            hasher: self.hasher.clone(),
            secrets: self.secrets.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            page_tokens: self.page_tokens.clone(),
            policy: self.policy,
        }
    }
}

/// The errors of checking a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemporaryError {
    /// The store failed.
    Unavailable(StoreError),
    /// Too many passwords wait to be hashed.
    Overloaded,
}

impl From<StoreError> for TemporaryError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl From<Overloaded> for TemporaryError {
    fn from(_: Overloaded) -> Self {
        Self::Overloaded
    }
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

    /// Returns the time until which these subjects are throttled, if they are.
    async fn throttled_until(&self, subjects: &[String]) -> Result<Option<Timestamp>, StoreError> {
        let now = self.clock.now();
        Ok(self
            .store
            .throttle(subjects)
            .await?
            .iter()
            .filter_map(|throttle| throttle.until(now, &self.policy.throttle))
            .max())
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

impl<S, H> std::fmt::Debug for UseCases<S, H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UseCases")
    }
}
