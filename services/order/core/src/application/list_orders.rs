//! Lists orders.

use mart_kernel::{ListError, Page, PageSize, Timestamp};

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
}
