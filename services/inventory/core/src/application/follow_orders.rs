//! What the order service tells: units are promised, sold, released and booked back.

use std::convert::Infallible;

use mart_kernel::{Receipt, StoreError};

use super::{OrderId, ProductId, Scope, StockDecider, Store, UseCases};
use crate::domain::Lines;

/// What an order asks of inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The order.
    pub order: OrderId,
    /// Its lines.
    pub lines: Lines,
    /// How often it was reinstated.
    pub reservation_round: i32,
}

impl<S: Store> UseCases<S> {
    /// An order was placed: promise its units.
    pub async fn on_order_placed(&self, asked: Asked, receipt: Receipt) -> Result<(), StoreError> {
        let expires_at = self.expiry();
        self.follow(asked, receipt, move |decider, asked| decider.order_placed(asked.order, asked.lines, expires_at))
            .await
    }

    /// A paid order had run out of time: promise its units once more.
    pub async fn on_order_reinstated(&self, asked: Asked, receipt: Receipt) -> Result<(), StoreError> {
        let expires_at = self.expiry();
        let step = move |decider: &mut StockDecider<'_>, asked: Asked| {
            decider.order_reinstated(asked.order, asked.lines, asked.reservation_round, expires_at);
        };
        self.follow(asked, receipt, step).await
    }

    /// An order is confirmed: its units are sold.
    pub async fn on_order_confirmed(&self, asked: Asked, receipt: Receipt) -> Result<(), StoreError> {
        let step = |decider: &mut StockDecider<'_>, asked: Asked| {
            decider.order_confirmed(asked.order, asked.lines, asked.reservation_round);
        };
        self.follow(asked, receipt, step).await
    }

    /// An order is cancelled: its units are free again, or back in the warehouse.
    pub async fn on_order_cancelled(&self, asked: Asked, receipt: Receipt) -> Result<(), StoreError> {
        let step = |decider: &mut StockDecider<'_>, asked: Asked| {
            decider.order_cancelled(asked.order, asked.reservation_round);
        };
        self.follow(asked, receipt, step).await
    }

    fn expiry(&self) -> mart_kernel::Timestamp {
        mart_kernel::Timestamp::new(self.clock.now().get() + self.hold)
    }

    async fn follow(
        &self,
        asked: Asked,
        receipt: Receipt,
        step: impl FnOnce(&mut StockDecider<'_>, Asked) + Send + 'static,
    ) -> Result<(), StoreError> {
        let products: Vec<ProductId> = asked.lines.products().collect();
        let scope = Scope::order(asked.order, products.into_iter());
        let step = move |decider: &mut StockDecider<'_>| {
            step(decider, asked);
            Ok::<(), Infallible>(())
        };
        self.decide(scope, Some(receipt), step).await.map(drop)
    }
}
