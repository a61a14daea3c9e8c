//! Handles ReservationExpired.

use mart_kernel::{EventOutcome, Receipt, StoreError};

use super::{OrderId, Store, UseCases};

impl<S: Store> UseCases<S> {
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
