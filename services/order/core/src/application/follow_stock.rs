//! What inventory tells: units are promised, shortage, or are promised no longer.

use mart_kernel::{Receipt, StoreError, Timestamp};

use super::{EventOutcome, OrderId, Store, UseCases};

impl<S: Store> UseCases<S> {
    /// The units of an order are promised: the customer may pay, until the deadline that begins now.
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

    /// Some units of an order shortage.
    pub async fn on_stock_rejected(
        &self,
        id: OrderId,
        round: i32,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        self.apply_event(id, receipt, move |order, now| order.stock_rejected(round, now)).await
    }

    /// The units of an order are promised no longer, because nobody used them in time.
    pub async fn on_reservation_expired(
        &self,
        id: OrderId,
        round: i32,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        self.apply_event(id, receipt, move |order, now| order.reservation_expired(round, now)).await
    }
}
