//! What admins do.

use mart_kernel::page::InvalidPageToken;
use mart_kernel::{Fingerprint, Page, PageSize, StoreError};

use super::UseCases;
use crate::domain::{AccountDecider, User, UserId};
use crate::ports::{Hasher, Scope, Store};

/// Why there is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListError {
    /// The token is not of this list.
    Token,
    /// The store can't be reached.
    Unavailable(StoreError),
}

impl From<InvalidPageToken> for ListError {
    fn from(_: InvalidPageToken) -> Self {
        Self::Token
    }
}

impl From<StoreError> for ListError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

/// Why nothing was done about a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserError {
    /// There is no such user.
    NotFound,
    /// The store can't be reached.
    Unavailable(StoreError),
}

/// Why nobody was disabled or enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisableError {
    /// There is no such user.
    NotFound,
    /// Who asks is disabled himself.
    CallerDisabled,
    /// The store can't be reached.
    Unavailable(StoreError),
}

/// What was published again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Republished {
    /// How many users.
    pub count: usize,
    /// Leads to the rest; `None` when all are published.
    pub next: Option<String>,
}

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// A page of users, newest first.
    pub async fn list_users(&self, size: PageSize, token: &str) -> Result<Page<User>, ListError> {
        let list = Fingerprint::new("users").finish();
        let after = self.page_tokens.cursor(list, token)?;
        let found = self.store.list(after, size.get() + 1).await?;
        Ok(Page::cut(found, size, |last| self.page_tokens.sign(list, &last.cursor().encode())))
    }

    /// An admin takes the right to log in away, or gives it back. One who lost it himself does neither, though his token is still good
    /// for some minutes.
    pub async fn set_disabled(&self, by: Option<UserId>, id: UserId, disabled: bool) -> Result<User, DisableError> {
        let scope = Scope { users: by.into_iter().chain([id]).collect(), ..Scope::default() };
        let step = move |accounts: &mut AccountDecider| {
            if by.and_then(|by| accounts.user(by)).is_some_and(|by| by.disabled) {
                return Err(DisableError::CallerDisabled);
            }
            accounts.set_disabled(id, disabled);
            accounts.user(id).filter(|user| user.verified).cloned().ok_or(DisableError::NotFound)
        };
        self.decide(scope, step).await.map_err(DisableError::Unavailable)?
    }

    /// Publishes UserRepublished for a page of all users, as they are when nobody changes them.
    pub async fn republish_users(&self, size: PageSize, token: &str) -> Result<Republished, ListError> {
        let page = self.list_users(size, token).await?;
        let count = page.items.len();
        if count > 0 {
            let scope = Scope { users: page.items.iter().map(|user| user.id).collect(), ..Scope::default() };
            self.decide(scope, AccountDecider::republish).await?;
        }
        Ok(Republished { count, next: page.next })
    }

    /// Forgets what is of no use any more, among it who registered and never proved the mailbox; how much.
    pub async fn forget(&self) -> Result<usize, StoreError> {
        self.store.forget(self.clock.now(), &self.policy.throttle).await
    }
}
