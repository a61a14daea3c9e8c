//! Handles PaymentRefunded.

use mart_kernel::{EventOutcome, Money, Receipt, StoreError, Timestamp};
use uuid::Uuid;

use super::{OrderId, Store, UseCases};

impl<S: Store> UseCases<S> {
    /// Adds a refund to the timeline.
    pub async fn on_payment_refunded(
        &self,
        id: OrderId,
        amount: Money,
        event: Uuid,
        at: Timestamp,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        self.note(id, |_| format!("We've refunded {amount}."), event, at, receipt).await
    }
}
