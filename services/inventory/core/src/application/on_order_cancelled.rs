//! Handles OrderCancelled: the units are released or returned.

use mart_kernel::{EventOutcome, Receipt, StoreError};

use super::{OrderRequest, UseCases};
use crate::domain::StockDecider;
use crate::ports::Store;

impl<S: Store> UseCases<S> {
    /// Releases or returns the units of a cancelled order.
    pub async fn on_order_cancelled(
        &self,
        request: OrderRequest,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        let step = |decider: &mut StockDecider<'_>, request: OrderRequest| {
            decider.order_cancelled(request.order, request.reservation_round);
        };
        self.apply(request, receipt, step).await
    }
}
