//! Listing orders, page by page.

use mart_kernel::page::InvalidPageToken;
use mart_kernel::{Fingerprint, Page, PageSize, StoreError, Timestamp};

use super::{CustomerId, Order, Store, UseCases, Viewer};
use crate::domain::StatusKind;
use crate::ports::Filter;

/// What a client asks of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListOrders {
    /// Only of this customer; empty for all that the viewer may see.
    pub customer: String,
    /// Only in this status.
    pub status: Option<StatusKind>,
    /// Only placed then or later.
    pub from: Option<Timestamp>,
    /// Only placed before.
    pub before: Option<Timestamp>,
    /// Items in a page.
    pub page_size: PageSize,
    /// From the page before.
    pub page_token: String,
}

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
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

impl<S: Store> UseCases<S> {
    /// A page of the orders that the viewer may see, newest first. A customer who asks for another's gets none.
    pub async fn list_orders(&self, viewer: &Viewer, request: ListOrders) -> Result<Page<Order>, ListError> {
        let ListOrders { customer, status, from, before, page_size, page_token } = request;
        let asked = Some(CustomerId(customer)).filter(|customer| !customer.0.is_empty());
        let customer = match viewer {
            Viewer::Admin => asked,
            Viewer::Customer(own) if asked.as_ref().is_none_or(|asked| asked == own) => Some(own.clone()),
            Viewer::Customer(_) => return Ok(Page { items: Vec::new(), next: None }),
        };
        self.page(&Filter { customer, status, from, before }, page_size, &page_token).await
    }

    /// The page behind a token, or the first one.
    pub(super) async fn page(&self, filter: &Filter, size: PageSize, token: &str) -> Result<Page<Order>, ListError> {
        let list = fingerprint(filter);
        let after = self.page_tokens.cursor(list, token)?;
        let found = self.store.list(filter, after, size.get() + 1).await?;
        Ok(Page::cut(found, size, |last| self.page_tokens.sign(list, &last.cursor().encode())))
    }
}

/// Tells lists apart, so that a token of one can't be used with another.
fn fingerprint(filter: &Filter) -> [u8; 32] {
    let Filter { customer, status, from, before } = filter;
    let time = |at: &Option<Timestamp>| at.map(|at| at.unix_micros().to_be_bytes());
    let (from, before, status) = (time(from), time(before), status.map(|status| format!("{status:?}")));
    Fingerprint::new("orders")
        .optional(customer.as_ref().map(|customer| customer.0.as_bytes()))
        .optional(status.as_deref().map(str::as_bytes))
        .optional(from.as_ref().map(<[u8; 8]>::as_slice))
        .optional(before.as_ref().map(<[u8; 8]>::as_slice))
        .finish()
}
