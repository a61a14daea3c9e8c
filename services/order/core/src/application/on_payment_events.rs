//! Handles the events of payment.

use mart_kernel::{Money, Receipt, StoreError, Timestamp};
use uuid::Uuid;

use super::{EventOutcome, Order, OrderId, Store, UseCases, Write};
use crate::domain::{StatusKind, TimelineEntry};

impl<S: Store> UseCases<S> {
    /// Applies a captured payment, before or after the deadline. A payment with another amount than the total is rejected.
    pub async fn on_payment_captured(
        &self,
        id: OrderId,
        payment_id: String,
        amount: Money,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        match self.store.find(id).await? {
            Some(order) if order.total != amount => return Ok(EventOutcome::Rejected),
            Some(_) => {}
            None => return Ok(EventOutcome::NotReady),
        }
        self.apply_event(id, receipt, move |order, now| order.payment_captured(payment_id.clone(), amount, now)).await
    }

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

    /// Adds an entry to an order's timeline and changes nothing else.
    async fn note(
        &self,
        id: OrderId,
        text: impl FnOnce(&Order) -> String + Send,
        event: Uuid,
        at: Timestamp,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        let Some(order) = self.store.find(id).await? else { return Ok(EventOutcome::NotReady) };
        let entry = TimelineEntry { at, text: text(&order), status: order.status.kind(), event };
        self.commit_write(Write::AppendTimeline { order: id, entry }, receipt).await
    }
}
