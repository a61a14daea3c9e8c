//! Lists notifications page by page.

use mart_kernel::{Fingerprint, ListError, Page, PageSize};

use super::UseCases;
use crate::domain::{Notification, StatusKind};
use crate::ports::{Filter, Store};

impl<S: Store> UseCases<S> {
    /// Returns a page of notifications, newest first.
    pub async fn list_notifications(
        &self,
        filter: &Filter,
        size: PageSize,
        token: &str,
    ) -> Result<Page<Notification>, ListError> {
        let Filter { order, recipient, status } = filter;
        let list = Fingerprint::new("notifications")
            .part(order.map(|order| order.0).unwrap_or_default().as_bytes())
            .part(recipient.as_deref().unwrap_or_default().as_bytes())
            .part(status.map_or("", StatusKind::name).as_bytes())
            .finish();
        let find = |after, limit| self.store.list(filter, after, limit);
        self.page_tokens.page(list, size, token, find, Notification::cursor).await
    }
}
