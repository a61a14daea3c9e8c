//! Handles the events of inventory.

use mart_kernel::{Receipt, StoreError, Timestamp};

use super::{EventOutcome, OrderId, Store, UseCases};

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

    /// Applies a rejected reservation.
    pub async fn on_stock_rejected(
        &self,
        id: OrderId,
        round: i32,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        self.apply_event(id, receipt, move |order, now| order.stock_rejected(round, now)).await
    }

    /// Applies an expired reservation.
    pub async fn on_reservation_expired(
        &self,
        id: OrderId,
        round: i32,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        self.apply_event(id, receipt, move |order, now| order.reservation_expired(round, now)).await
    }
}
