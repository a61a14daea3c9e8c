//! The use cases. Each commits at most once.

mod count_stock;
mod expire_reservations;
mod lists;
mod on_order_events;
mod on_product_events;
mod set_low_stock_threshold;

use std::sync::Arc;

use mart_kernel::{Clock, IdGenerator, PageTokenSigner, Receipt, StoreError};

use crate::domain::{Change, OrderId, ProductId, StockDecider};
use crate::ports::{Decided, Scope, Store};

pub use count_stock::{CountError, Counted};
pub use lists::{ListError, Republished};
pub use on_order_events::OrderRequest;
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

    /// Returns the store, for queries without a rule.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Decides a change of the rows of a scope.
    async fn decide<E: Send + 'static>(
        &self,
        scope: Scope,
        receipt: Option<Receipt>,
        step: impl FnOnce(&mut StockDecider<'_>) -> Result<(), E> + Send + 'static,
    ) -> Result<Decided<E>, StoreError> {
        let (now, ids) = (self.clock.now(), self.ids.clone());
        let decide = move |rows: crate::ports::Rows| -> Result<Change, E> {
            let mut decider = StockDecider::open(rows.items, rows.reservation, now, &*ids);
            step(&mut decider)?;
            Ok(decider.close())
        };
        self.store.decide(scope, receipt, decide).await
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
