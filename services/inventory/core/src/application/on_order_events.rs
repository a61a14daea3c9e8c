//! Handles the events of order.

use std::convert::Infallible;

use mart_kernel::{Receipt, StoreError};

use super::{OrderId, ProductId, Scope, StockDecider, Store, UseCases};
use crate::domain::Lines;

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

impl<S: Store> UseCases<S> {
    /// Reserves the units of a placed order.
    pub async fn on_order_placed(&self, request: OrderRequest, receipt: Receipt) -> Result<(), StoreError> {
        let expires_at = self.expiry();
        self.apply(request, receipt, move |decider, request| {
            decider.order_placed(request.order, request.lines, expires_at);
        })
        .await
    }

    /// Reserves the units of a reinstated order again.
    pub async fn on_order_reinstated(&self, request: OrderRequest, receipt: Receipt) -> Result<(), StoreError> {
        let expires_at = self.expiry();
        let step = move |decider: &mut StockDecider<'_>, request: OrderRequest| {
            decider.order_reinstated(request.order, request.lines, request.reservation_round, expires_at);
        };
        self.apply(request, receipt, step).await
    }

    /// Commits the reservation of a confirmed order.
    pub async fn on_order_confirmed(&self, request: OrderRequest, receipt: Receipt) -> Result<(), StoreError> {
        let step = |decider: &mut StockDecider<'_>, request: OrderRequest| {
            decider.order_confirmed(request.order, request.lines, request.reservation_round);
        };
        self.apply(request, receipt, step).await
    }

    /// Releases or returns the units of a cancelled order.
    pub async fn on_order_cancelled(&self, request: OrderRequest, receipt: Receipt) -> Result<(), StoreError> {
        let step = |decider: &mut StockDecider<'_>, request: OrderRequest| {
            decider.order_cancelled(request.order, request.reservation_round);
        };
        self.apply(request, receipt, step).await
    }

    /// Returns the time when a reservation of now expires.
    fn expiry(&self) -> mart_kernel::Timestamp {
        mart_kernel::Timestamp::new(self.clock.now().get() + self.reservation_ttl)
    }

    /// Applies an order's request to the stock and the reservation, once.
    async fn apply(
        &self,
        request: OrderRequest,
        receipt: Receipt,
        step: impl FnOnce(&mut StockDecider<'_>, OrderRequest) + Send + 'static,
    ) -> Result<(), StoreError> {
        let products: Vec<ProductId> = request.lines.products().collect();
        let scope = Scope::order(request.order, products.into_iter());
        let step = move |decider: &mut StockDecider<'_>| {
            step(decider, request);
            Ok::<(), Infallible>(())
        };
        self.decide(scope, Some(receipt), step).await.map(drop)
    }
}
