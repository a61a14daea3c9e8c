//! Handles StockRejected.

use mart_kernel::{EventOutcome, Receipt, StoreError};

use super::{OrderId, Store, UseCases};

impl<S: Store> UseCases<S> {
    /// Applies a rejected reservation.
    pub async fn on_stock_rejected(
        &self,
        id: OrderId,
        round: i32,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        self.apply_event(id, receipt, move |order, now| order.stock_rejected(round, now)).await
    }
}
