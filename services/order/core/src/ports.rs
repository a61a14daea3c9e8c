//! The store that orders need.

use std::convert::Infallible;
use std::future::Future;

use mart_kernel::{Commit, CommitError, CommitOutcome, Cursor, Receipt, StoreError, Timestamp, Version};

use crate::domain::{CatalogProduct, CustomerId, Order, OrderEvent, OrderId, ProductId, StatusKind, TimelineEntry};

/// Stores orders, their timelines, a read model of products, events and receipts.
///
/// Every implementation passes [`conformance`](mod@crate::conformance). Each method returns [`StoreError`] if the store fails; the
/// implementation logs the cause.
pub trait Store: Send + Sync {
    /// Returns an order.
    fn find(&self, id: OrderId) -> impl Future<Output = Result<Option<Order>, StoreError>> + Send;

    /// Returns up to `limit` orders that match the filter, newest first, after the cursor.
    fn list(
        &self,
        filter: &Filter,
        after: Option<Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Order>, StoreError>> + Send;

    /// Returns up to `limit` orders whose payment deadline is `now` or earlier, oldest first.
    fn due(&self, now: Timestamp, limit: usize) -> impl Future<Output = Result<Vec<OrderId>, StoreError>> + Send;

    /// Returns the timeline of an order, oldest first, each entry with its trace id if it is known.
    fn find_timeline(
        &self,
        id: OrderId,
    ) -> impl Future<Output = Result<Vec<(TimelineEntry, String)>, StoreError>> + Send;

    /// Returns the products with these ids, in any order; unknown ids are omitted.
    fn find_products(&self, ids: &[ProductId]) -> impl Future<Output = Result<Vec<CatalogProduct>, StoreError>> + Send;

    /// Returns the subject of a stored receipt, and whether it is of the same request.
    fn find_receipt(
        &self,
        receipt: &Receipt,
    ) -> impl Future<Output = Result<Option<(String, bool)>, StoreError>> + Send;

    /// Commits everything or nothing. Every event gets its timeline entry.
    ///
    /// An update must be of the version that was read; otherwise it is a conflict. An existing receipt is reported before a
    /// conflict.
    fn commit(
        &self,
        commit: Commit<Write, OrderEvent>,
    ) -> impl Future<Output = Result<CommitOutcome, CommitError<Infallible>>> + Send;
}

/// The write of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Inserts an order.
    Insert(Order),
    /// Updates an order.
    Update {
        /// The order after the change.
        order: Order,
        /// The version that was read.
        expected: Version,
    },
    /// Appends to the timeline of an order; a conflict if the order does not exist.
    AppendTimeline {
        /// The order.
        order: OrderId,
        /// The entry.
        entry: TimelineEntry,
    },
    /// Stores a product's state at its version. An older version has no effect.
    Product(CatalogProduct),
}

/// The filter of a list. The default matches all orders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// The customer.
    pub customer: Option<CustomerId>,
    /// The status.
    pub status: Option<StatusKind>,
    /// The earliest time of placement.
    pub from: Option<Timestamp>,
    /// The time before which orders were placed.
    pub before: Option<Timestamp>,
}
