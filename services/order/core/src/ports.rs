//! What orders need from a store.

use std::convert::Infallible;
use std::future::Future;

use mart_kernel::{Commit, CommitError, CommitOutcome, Cursor, Receipt, StoreError, Timestamp, Version};

use crate::domain::{CatalogProduct, CustomerId, Order, OrderEvent, OrderId, ProductId, StatusKind, TimelineEntry};

/// Keeps orders, their timelines, a read model of products, events and receipts.
///
/// Every implementation passes [`conformance`](mod@crate::conformance). Each method fails with [`Unavailable`] where the store
/// can't be reached; the implementation logs why.
pub trait Store: Send + Sync {
    /// Finds an order.
    fn find(&self, id: OrderId) -> impl Future<Output = Result<Option<Order>, StoreError>> + Send;

    /// Up to `limit` orders that pass the filter, newest first, beginning after the cursor.
    fn list(
        &self,
        filter: &Filter,
        after: Option<Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Order>, StoreError>> + Send;

    /// Up to `limit` orders whose payment deadline is `now` or before, the oldest first.
    fn due(&self, now: Timestamp, limit: usize) -> impl Future<Output = Result<Vec<OrderId>, StoreError>> + Send;

    /// What happened to an order, oldest first, each with the id of its trace where that is known.
    fn timeline(&self, id: OrderId) -> impl Future<Output = Result<Vec<(TimelineEntry, String)>, StoreError>> + Send;

    /// The products of these ids, in no order; unknown ones are left out.
    fn products(&self, ids: &[ProductId]) -> impl Future<Output = Result<Vec<CatalogProduct>, StoreError>> + Send;

    /// The subject of a receipt that is kept, and whether it is of the same request.
    fn receipt(&self, receipt: &Receipt) -> impl Future<Output = Result<Option<(String, bool)>, StoreError>> + Send;

    /// Keeps all of a commit or nothing. Every event gets its entry in the timeline.
    ///
    /// A change is of the version that was seen, or it is a conflict. A receipt that is there already wins over a conflict.
    fn commit(
        &self,
        commit: Commit<Write, OrderEvent>,
    ) -> impl Future<Output = Result<CommitOutcome, CommitError<Infallible>>> + Send;
}

/// What a commit writes, beside events and receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// A new order.
    Insert(Order),
    /// An order as it shall be.
    Update {
        /// The order.
        order: Order,
        /// The version that it has to be at.
        seen: Version,
    },
    /// Something that changes nothing but the timeline of an order that exists; a conflict where it does not.
    AppendTimeline {
        /// The order.
        order: OrderId,
        /// What happened.
        entry: TimelineEntry,
    },
    /// A product as it is at its version; an older one than is known changes nothing.
    Product(CatalogProduct),
}

/// Which orders a list has. The default has all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// In this status.
    pub status: Option<StatusKind>,
    /// Placed then or later.
    pub from: Option<Timestamp>,
    /// Placed before.
    pub before: Option<Timestamp>,
}
