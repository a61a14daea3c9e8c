//! Handles OrderReinstated: the units are reserved again.

use mart_kernel::{EventOutcome, Receipt, StoreError};

use super::{OrderRequest, UseCases};
use crate::domain::StockDecider;
use crate::ports::Store;

impl<S: Store> UseCases<S> {
    /// Reserves the units of a reinstated order again.
    pub async fn on_order_reinstated(
        &self,
        request: OrderRequest,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        let expires_at = self.expiry();
        let step = move |decider: &mut StockDecider<'_>, request: OrderRequest| {
            decider.order_reinstated(request.order, request.lines, request.reservation_round, expires_at);
        };
        self.apply(request, receipt, step).await
    }
}
