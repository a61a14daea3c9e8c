//! What payment tells: money came in, an attempt failed, money went back.

use mart_kernel::{Money, Receipt, StoreError, Timestamp};
use uuid::Uuid;

use super::{EventOutcome, Order, OrderId, Store, UseCases, Write};
use crate::domain::{StatusKind, TimelineEntry};

impl<S: Store> UseCases<S> {
    /// Money came in for an order, in time or late. Another sum than the order's total never pays it.
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

    /// An attempt to pay failed: the customer is told, and may try again while the order awaits payment.
    pub async fn on_payment_failed(
        &self,
        id: OrderId,
        reason: &str,
        event: Uuid,
        at: Timestamp,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        let text = |order: &Order| {
            let why = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
            let again = if order.status.kind() == StatusKind::AwaitingPayment { " You may try again." } else { "" };
            format!("Your payment failed{why}.{again}")
        };
        self.note(id, text, event, at, receipt).await
    }

    /// Money went back to the customer.
    pub async fn on_payment_refunded(
        &self,
        id: OrderId,
        amount: Money,
        event: Uuid,
        at: Timestamp,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        self.note(id, |_| format!("{amount} went back to you."), event, at, receipt).await
    }

    /// Writes into the timeline of an order and changes nothing else.
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
