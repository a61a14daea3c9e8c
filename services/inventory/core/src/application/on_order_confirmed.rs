//! Handles OrderConfirmed: the reservation is committed.

use mart_kernel::{EventOutcome, Receipt, StoreError};

use super::{OrderRequest, UseCases};
use crate::domain::StockDecider;
use crate::ports::Store;

impl<S: Store> UseCases<S> {
    /// Commits the reservation of a confirmed order.
    pub async fn on_order_confirmed(
        &self,
        request: OrderRequest,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        let step = |decider: &mut StockDecider<'_>, request: OrderRequest| {
            decider.order_confirmed(request.order, request.lines, request.reservation_round);
        };
        self.apply(request, receipt, step).await
    }
}
