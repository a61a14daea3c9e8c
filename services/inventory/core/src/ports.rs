//! The store that inventory needs.

use std::collections::BTreeSet;
use std::future::Future;

use mart_kernel::{Cursor, Receipt, StoreError, Timestamp};

use crate::domain::{Change, LedgerEntry, LedgerEntryId, OrderId, ProductId, Reservation, StockItem};

/// Stores stock items, their ledger, reservations, events and receipts.
///
/// Every implementation passes [`conformance`](mod@crate::conformance). Each method returns [`StoreError`] if the store fails; the
/// implementation logs the cause.
pub trait Store: Send + Sync {
    /// Decides a change of the rows of a scope and commits all of it or nothing.
    ///
    /// The rows of the scope, and of the products in its reservation, are locked in the order of their ids until the commit, so
    /// that decisions about the same row are sequential. `decide` is called at most once. If the receipt already exists, nothing
    /// is written.
    fn decide<E: Send + 'static>(
        &self,
        scope: Scope,
        receipt: Option<Receipt>,
        decide: impl FnOnce(Rows) -> Result<Change, E> + Send + 'static,
    ) -> impl Future<Output = Result<Decided<E>, StoreError>> + Send;

    /// Returns the stock items of these products, in any order; unknown ids are omitted.
    fn find_stock_items(&self, ids: &[ProductId]) -> impl Future<Output = Result<Vec<StockItem>, StoreError>> + Send;

    /// Returns up to `limit` stock items, newest first, after the cursor.
    fn list_stock_items(
        &self,
        only_low: bool,
        after: Option<Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<StockItem>, StoreError>> + Send;

    /// Returns a ledger entry.
    fn find_ledger_entry(
        &self,
        id: LedgerEntryId,
    ) -> impl Future<Output = Result<Option<LedgerEntry>, StoreError>> + Send;

    /// Returns up to `limit` ledger entries of a product, newest first, after the cursor.
    fn list_ledger_entries(
        &self,
        product: ProductId,
        after: Option<Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<LedgerEntry>, StoreError>> + Send;

    /// Returns the reservation of an order.
    fn find_reservation(&self, order: OrderId) -> impl Future<Output = Result<Option<Reservation>, StoreError>> + Send;

    /// Returns up to `limit` orders whose reservation expires at `now` or earlier, oldest first.
    fn due(&self, now: Timestamp, limit: usize) -> impl Future<Output = Result<Vec<OrderId>, StoreError>> + Send;
}

/// The rows that a decision reads and may change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The order whose reservation is included.
    pub order: Option<OrderId>,
    /// The products, in addition to those of the reservation.
    pub products: BTreeSet<ProductId>,
}

/// The locked rows of a scope.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rows {
    /// The stock items that exist.
    pub items: Vec<StockItem>,
    /// The order's reservation, if it exists.
    pub reservation: Option<Reservation>,
}

/// The result of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided<E> {
    /// The change is committed.
    Committed(Change),
    /// The decision was an error; nothing is changed.
    Rejected(E),
    /// The receipt already exists; nothing is changed.
    AlreadyProcessed {
        /// The subject of the stored receipt.
        subject: String,
        /// Whether the first request had the same fingerprint.
        same_request: bool,
    },
}
