//! Lists orders.

use mart_kernel::page::InvalidPageToken;
use mart_kernel::{Fingerprint, Page, PageSize, StoreError, Timestamp};

use super::{CustomerId, Order, Store, UseCases, Viewer};
use crate::domain::StatusKind;
use crate::ports::Filter;

/// The parameters of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListOrders {
    /// Only orders of this customer; empty for all that the viewer may read.
    pub customer: String,
    /// Only orders in this status.
    pub status: Option<StatusKind>,
    /// Only orders that were placed at this time or later.
    pub from: Option<Timestamp>,
    /// Only orders that were placed before this time.
    pub before: Option<Timestamp>,
    /// The number of items on a page.
    pub page_size: PageSize,
    /// The token of the previous page.
    pub page_token: String,
}

/// The errors of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
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

impl<S: Store> UseCases<S> {
    /// Returns a page of the orders that the viewer may read, newest first. For another customer's orders the page is empty.
    pub async fn list_orders(&self, viewer: &Viewer, request: ListOrders) -> Result<Page<Order>, ListError> {
        let ListOrders { customer, status, from, before, page_size, page_token } = request;
        let requested = Some(CustomerId(customer)).filter(|customer| !customer.0.is_empty());
        let customer = match viewer {
            Viewer::Admin => requested,
            Viewer::Customer(own) if requested.as_ref().is_none_or(|requested| requested == own) => Some(own.clone()),
            Viewer::Customer(_) => return Ok(Page { items: Vec::new(), next: None }),
        };
        self.page(&Filter { customer, status, from, before }, page_size, &page_token).await
    }

    /// Returns the page after a token, or the first page.
    pub(super) async fn page(&self, filter: &Filter, size: PageSize, token: &str) -> Result<Page<Order>, ListError> {
        let list = fingerprint(filter);
        let after = self.page_tokens.cursor(list, token)?;
        let found = self.store.list(filter, after, size.get() + 1).await?;
        Ok(Page::cut(found, size, |last| self.page_tokens.sign(list, &last.cursor().encode())))
    }
}

/// Returns a fingerprint of the filter, so that a token is valid for its own list only.
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
