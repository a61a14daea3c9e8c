//! Handles PaymentFailed.

use mart_kernel::{EventOutcome, Receipt, StoreError, Timestamp};
use uuid::Uuid;

use super::{Order, OrderId, Store, UseCases};
use crate::domain::StatusKind;

impl<S: Store> UseCases<S> {
    /// Adds a failed attempt to the timeline. The customer may try again while the order awaits its payment.
    pub async fn on_payment_failed(
        &self,
        id: OrderId,
        reason: &str,
        event: Uuid,
        at: Timestamp,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        let text = |order: &Order| {
            let detail = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
            let hint = if order.status.kind() == StatusKind::AwaitingPayment { " You can try again." } else { "" };
            format!("Your payment failed{detail}.{hint}")
        };
        self.note(id, text, event, at, receipt).await
    }
}
