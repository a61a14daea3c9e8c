//! The use cases. Each commits at most once.

mod count_stock;
mod expire_reservations;
mod follow_orders;
mod follow_products;
mod lists;
mod set_low_stock_threshold;

use std::sync::Arc;

use mart_kernel::{Clock, IdGenerator, PageTokenSigner, Receipt, StoreError};

use crate::domain::{Change, OrderId, ProductId, StockDecider};
use crate::ports::{Decided, Scope, Store};

pub use count_stock::{CountError, Counted};
pub use follow_orders::Asked;
pub use lists::{ListError, Republished};
pub use set_low_stock_threshold::ThresholdError;

/// The use cases over their ports.
#[derive(Clone)]
pub struct UseCases<S> {
    store: S,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    page_tokens: PageTokenSigner,
    hold: time::Duration,
}

/// How long a promise holds that nobody uses, where nothing else is configured.
pub const RESERVATION_TTL: time::Duration = time::Duration::minutes(60);

impl<S: Store> UseCases<S> {
    /// Puts the use cases over a store; `page_tokens` makes page tokens, `hold` is how long a promise holds.
    pub fn new(
        store: S,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
        page_tokens: PageTokenSigner,
        hold: time::Duration,
    ) -> Self {
        Self { store, clock, ids, page_tokens, hold }
    }

    /// The store, for queries that have no rule of their own.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Decides over the rows of a scope by one step in the decider.
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
