//! The use cases of admins and of background jobs.

use mart_kernel::page::InvalidPageToken;
use mart_kernel::{Fingerprint, Page, PageSize, StoreError};

use super::UseCases;
use crate::domain::{AccountDecider, User, UserId};
use crate::ports::{Hasher, Scope, Store};

/// The errors of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListError {
    /// The token is invalid for this list.
    Token,
    /// The store failed.
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

/// The errors of reading and changing a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserError {
    /// The user does not exist.
    NotFound,
    /// The store failed.
    Unavailable(StoreError),
}

/// The errors of disabling and enabling a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisableError {
    /// The user does not exist.
    NotFound,
    /// The caller is disabled.
    CallerDisabled,
    /// The store failed.
    Unavailable(StoreError),
}

/// The result of republishing a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Republished {
    /// The number of users.
    pub count: usize,
    /// The token of the next page; `None` after the last one.
    pub next: Option<String>,
}

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Returns a page of users, newest first.
    pub async fn list_users(&self, size: PageSize, token: &str) -> Result<Page<User>, ListError> {
        let list = Fingerprint::new("users").finish();
        let after = self.page_tokens.cursor(list, token)?;
        let found = self.store.list(after, size.get() + 1).await?;
        Ok(Page::cut(found, size, |last| self.page_tokens.sign(list, &last.cursor().encode())))
    }

    /// Disables or enables a user. A disabled admin is rejected, although their access token is still valid for some minutes.
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

    /// Publishes UserRepublished for a page of users, each under its lock.
    pub async fn republish_users(&self, size: PageSize, token: &str) -> Result<Republished, ListError> {
        let page = self.list_users(size, token).await?;
        let count = page.items.len();
        if count > 0 {
            let scope = Scope { users: page.items.iter().map(|user| user.id).collect(), ..Scope::default() };
            self.decide(scope, AccountDecider::republish).await?;
        }
        Ok(Republished { count, next: page.next })
    }

    /// Deletes expired data, including registrations that were never verified. Returns the number of rows.
    pub async fn purge_expired(&self) -> Result<usize, StoreError> {
        self.store.purge_expired(self.clock.now(), &self.policy.throttle).await
    }
}
