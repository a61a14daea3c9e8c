//! Reads notifications, and resends a failed one.

use mart_kernel::page::InvalidPageToken;
use mart_kernel::{Fingerprint, Page, PageSize, StoreError};

use super::UseCases;
use crate::domain::{Notification, NotificationId, StatusKind};
use crate::ports::{Filter, Store};

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

/// The errors of resending a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResendError {
    /// The notification does not exist.
    NotFound,
    /// The notification has not failed, or it contained a link.
    NotFailed,
    /// The store failed.
    Unavailable(StoreError),
}

impl From<StoreError> for ResendError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl<S: Store> UseCases<S> {
    /// Returns a notification.
    pub async fn get(&self, id: NotificationId) -> Result<Option<Notification>, StoreError> {
        self.store.find(id).await
    }

    /// Returns a page of notifications, newest first.
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

    /// Makes a failed notification pending again, due now.
    pub async fn resend_notification(&self, id: NotificationId) -> Result<Notification, ResendError> {
        let found = self.store.find(id).await?.ok_or(ResendError::NotFound)?;
        let resent = found.resend(self.clock.now(), &self.policy).map_err(|_| ResendError::NotFailed)?;
        // Another operator may have resent it in the meantime.
        if self.store.update(StatusKind::Failed, &resent).await? { Ok(resent) } else { Err(ResendError::NotFailed) }
    }
}
