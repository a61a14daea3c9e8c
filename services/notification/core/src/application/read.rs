//! Reading notifications, and having one tried again.

use mart_kernel::page::InvalidPageToken;
use mart_kernel::{Fingerprint, Page, PageSize, StoreError};

use super::UseCases;
use crate::domain::{Notification, NotificationId, StatusKind};
use crate::ports::{Filter, Store};

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

/// Why a notification is not tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgainError {
    /// There is none.
    NotFound,
    /// It has not failed, or it was a link.
    NotFailed,
    /// The store can't be reached.
    Unavailable(StoreError),
}

impl From<StoreError> for AgainError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl<S: Store> UseCases<S> {
    /// A notification.
    pub async fn get(&self, id: NotificationId) -> Result<Option<Notification>, StoreError> {
        self.store.find(id).await
    }

    /// A page of notifications, newest first.
    pub async fn list(&self, filter: &Filter, size: PageSize, token: &str) -> Result<Page<Notification>, ListError> {
        let Filter { order, recipient, status } = filter;
        let list = Fingerprint::new("notifications")
            .part(order.map(|order| order.0).unwrap_or_default().as_bytes())
            .part(recipient.as_deref().unwrap_or_default().as_bytes())
            .part(status.map_or("", StatusKind::name).as_bytes())
            .finish();
        let after = self.page_tokens.cursor(list, token)?;
        let found = self.store.list(filter, after, size.get() + 1).await?;
        Ok(Page::cut(found, size, |last| self.page_tokens.sign(list, &last.cursor().encode())))
    }

    /// Has a notification that failed tried again.
    pub async fn resend_notification(&self, id: NotificationId) -> Result<Notification, AgainError> {
        let found = self.store.find(id).await?.ok_or(AgainError::NotFound)?;
        let again = found.again(self.clock.now(), &self.policy).map_err(|_| AgainError::NotFailed)?;
        // Somebody else may have had the same thought.
        if self.store.change(StatusKind::Failed, &again).await? { Ok(again) } else { Err(AgainError::NotFailed) }
    }
}
