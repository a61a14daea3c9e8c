//! The use cases, one per file. Each commits at most once.

mod adjust_stock;
mod expire_reservations;
mod get_availability;
mod get_ledger_entry;
mod get_reservation;
mod get_stock_item;
mod list_ledger_entries;
mod list_stock_items;
mod on_order_cancelled;
mod on_order_confirmed;
mod on_order_placed;
mod on_order_reinstated;
mod on_product;
mod receive_stock;
mod republish_stock_items;
mod set_low_stock_threshold;

use std::convert::Infallible;
use std::sync::Arc;

use mart_kernel::{Clock, EventOutcome, IdGenerator, PageTokenSigner, Receipt, ReceiptBuilder, StoreError, Timestamp};

use crate::domain::{
    Cause, Change, LedgerEntry, LedgerEntryId, Lines, OrderId, ProductId, StockChangeError, StockDecider, StockItem,
};
use crate::ports::{Decided, Rows, Scope, Store};

pub use set_low_stock_threshold::ThresholdError;

/// The use cases with their ports.
#[derive(Clone)]
pub struct UseCases<S> {
    store: S,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    page_tokens: PageTokenSigner,
    reservation_ttl: time::Duration,
}

/// The default time until a reservation expires.
pub const RESERVATION_TTL: time::Duration = time::Duration::minutes(60);

/// An order's request to inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRequest {
    /// The order.
    pub order: OrderId,
    /// Its lines.
    pub lines: Lines,
    /// The number of reinstatements.
    pub reservation_round: i32,
}

/// The ledger entry and the current stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The ledger entry.
    pub ledger_entry: LedgerEntry,
    /// The stock item.
    pub stock_item: StockItem,
}

/// The errors of a change of stock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CountError {
    /// The stock does not allow it.
    #[error(transparent)]
    Rejected(StockChangeError),
    /// The Idempotency-Key was used with another request.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl<S: Store> UseCases<S> {
    /// Creates the use cases. `page_tokens` signs page tokens; `reservation_ttl` is the time until a reservation expires.
    pub fn new(
        store: S,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
        page_tokens: PageTokenSigner,
        reservation_ttl: time::Duration,
    ) -> Self {
        Self { store, clock, ids, page_tokens, reservation_ttl }
    }

    /// Decides a change of the rows of a scope.
    async fn decide<E: Send + 'static>(
        &self,
        scope: Scope,
        receipt: Option<Receipt>,
        step: impl FnOnce(&mut StockDecider<'_>) -> Result<(), E> + Send + 'static,
    ) -> Result<Decided<E>, StoreError> {
        let (now, ids) = (self.clock.now(), self.ids.clone());
        let decide = move |rows: Rows| -> Result<Change, E> {
            let mut decider = StockDecider::open(rows.items, rows.reservation, now, &*ids);
            step(&mut decider)?;
            Ok(decider.close())
        };
        self.store.decide(scope, receipt, decide).await
    }

    /// Changes the count once and returns the ledger entry and the stock item.
    async fn count(
        &self,
        product: ProductId,
        delta: i32,
        cause: Cause,
        receipt: Option<ReceiptBuilder>,
    ) -> Result<Counted, CountError> {
        let id = LedgerEntryId(self.ids.next());
        let receipt = receipt.map(|receipt| receipt(id.0.to_string()));
        let step = move |decider: &mut StockDecider<'_>| decider.count(id, product, delta, cause);
        match self.decide(Scope::product(product), receipt, step).await? {
            Decided::Committed(change) => match (change.ledger.into_iter().next(), change.items.into_iter().next()) {
                (Some(ledger_entry), Some(stock_item)) => Ok(Counted { ledger_entry, stock_item }),
                _ => Err(StoreError::Internal.into()),
            },
            Decided::Rejected(error) => Err(CountError::Rejected(error)),
            Decided::AlreadyProcessed { subject, same_request: true } => {
                let id = subject.parse().map_err(|_| StoreError::Internal)?;
                let ledger_entry =
                    self.store.find_ledger_entry(LedgerEntryId(id)).await?.ok_or(StoreError::Internal)?;
                let stock_item = self.store.find_stock_items(&[product]).await?.pop().ok_or(StoreError::Internal)?;
                Ok(Counted { ledger_entry, stock_item })
            }
            Decided::AlreadyProcessed { same_request: false, .. } => Err(CountError::KeyReused),
        }
    }

    /// Returns the time when a reservation of now expires.
    fn expiry(&self) -> Timestamp {
        Timestamp::new(self.clock.now().get() + self.reservation_ttl)
    }

    /// Applies an order's request to the stock and the reservation, once.
    async fn apply(
        &self,
        request: OrderRequest,
        receipt: Receipt,
        step: impl FnOnce(&mut StockDecider<'_>, OrderRequest) + Send + 'static,
    ) -> Result<EventOutcome, StoreError> {
        let products: Vec<ProductId> = request.lines.products().collect();
        let scope = Scope::order(request.order, products.into_iter());
        let step = move |decider: &mut StockDecider<'_>| {
            step(decider, request);
            Ok::<(), Infallible>(())
        };
        self.decide(scope, Some(receipt), step).await?;
        Ok(EventOutcome::Applied)
    }
}

impl Scope {
    fn product(id: ProductId) -> Self {
        Self { order: None, products: [id].into() }
    }

    fn order(order: OrderId, products: impl Iterator<Item = ProductId>) -> Self {
        Self { order: Some(order), products: products.collect() }
    }
}

impl<S> std::fmt::Debug for UseCases<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UseCases")
    }
}
