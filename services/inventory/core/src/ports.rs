//! What inventory needs from a store.

use std::collections::BTreeSet;
use std::future::Future;

use mart_kernel::{Cursor, Receipt, StoreError, Timestamp};

use crate::domain::{Change, LedgerEntry, LedgerEntryId, OrderId, ProductId, Reservation, StockItem};

/// Keeps stock items, their ledger, reservations, events and receipts.
///
/// Every implementation passes [`conformance`](mod@crate::conformance). Each method fails with [`Unavailable`] where the store
/// can't be reached; the implementation logs why.
pub trait Store: Send + Sync {
    /// Decides about some rows and keeps what was decided, or nothing.
    ///
    /// The rows of the scope, and those of the products in its reservation, are locked in the order of their ids until the
    /// decision is kept, so that decisions about the same row follow one another. `decide` is called at most once. Where
    /// the receipt is there already nothing is kept.
    fn decide<E: Send + 'static>(
        &self,
        scope: Scope,
        receipt: Option<Receipt>,
        decide: impl FnOnce(Rows) -> Result<Change, E> + Send + 'static,
    ) -> impl Future<Output = Result<Decided<E>, StoreError>> + Send;

    /// The stock items of these products, in no order; unknown ones are left out.
    fn items(&self, ids: &[ProductId]) -> impl Future<Output = Result<Vec<StockItem>, StoreError>> + Send;

    /// Up to `limit` stock items, newest first, beginning after the cursor.
    fn list_items(
        &self,
        only_low: bool,
        after: Option<Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<StockItem>, StoreError>> + Send;

    /// Finds a ledger entry.
    fn entry(&self, id: LedgerEntryId) -> impl Future<Output = Result<Option<LedgerEntry>, StoreError>> + Send;

    /// Up to `limit` ledger entries of a product, newest first, beginning after the cursor.
    fn list_entries(
        &self,
        product: ProductId,
        after: Option<Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<LedgerEntry>, StoreError>> + Send;

    /// Finds what is promised to an order.
    fn reservation(&self, order: OrderId) -> impl Future<Output = Result<Option<Reservation>, StoreError>> + Send;

    /// Up to `limit` orders whose promises are over at `now`, the oldest first.
    fn due(&self, now: Timestamp, limit: usize) -> impl Future<Output = Result<Vec<OrderId>, StoreError>> + Send;
}

/// What a decision is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The order whose reservation it is about.
    pub order: Option<OrderId>,
    /// The products, beside those of the reservation.
    pub products: BTreeSet<ProductId>,
}

/// The rows that a decision finds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rows {
    /// The stock items that exist.
    pub items: Vec<StockItem>,
    /// The order's reservation, where there is one.
    pub reservation: Option<Reservation>,
}

/// How a decision ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided<E> {
    /// It is kept, for good.
    Kept(Change),
    /// It was to change nothing.
    Refused(E),
    /// Its receipt was there already, and nothing was changed.
    AlreadyProcessed {
        /// The subject that the first request's receipt named.
        subject: String,
        /// Whether the first request had the same fingerprint.
        same_request: bool,
    },
}
