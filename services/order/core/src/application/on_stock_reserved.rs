//! Handles StockReserved.

use mart_kernel::{EventOutcome, Receipt, StoreError, Timestamp};

use super::{OrderId, Store, UseCases};

impl<S: Store> UseCases<S> {
    /// Applies a reservation. The payment deadline begins now.
    pub async fn on_stock_reserved(
        &self,
        id: OrderId,
        round: i32,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        let window = self.payment_window;
        self.apply_event(id, receipt, move |order, now| {
            order.stock_reserved(round, Timestamp::new(now.get() + window), now)
        })
        .await
    }
}
