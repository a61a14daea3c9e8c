//! Handles OrderPlaced: the units are reserved.

use mart_kernel::{EventOutcome, Receipt, StoreError};

use super::{OrderRequest, UseCases};
use crate::domain::StockDecider;
use crate::ports::Store;

impl<S: Store> UseCases<S> {
    /// Reserves the units of a placed order.
    pub async fn on_order_placed(&self, request: OrderRequest, receipt: Receipt) -> Result<EventOutcome, StoreError> {
        let expires_at = self.expiry();
        let step = move |decider: &mut StockDecider<'_>, request: OrderRequest| {
            decider.order_placed(request.order, request.lines, expires_at);
        };
        self.apply(request, receipt, step).await
    }
}
