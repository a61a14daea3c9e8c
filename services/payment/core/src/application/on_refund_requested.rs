//! Handles RefundRequested.

use mart_kernel::{EventOutcome, Money, Receipt, StoreError};

use super::UseCases;
use crate::domain::{AttemptId, AttemptStatus, Match, OrderId, PaymentDecider, RefundId};
use crate::ports::Store;

/// Why the event is delivered again.
const NOT_CAPTURED: EventOutcome = EventOutcome::NotReady("the payment to refund is not captured yet");

/// RefundRequested: a payment to refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequested {
    /// The order.
    pub order: OrderId,
    /// The refund's id, which is the event's id.
    pub refund: RefundId,
    /// The attempt of the captured money.
    pub attempt: AttemptId,
    /// The amount.
    pub amount: Money,
}

impl<S: Store> UseCases<S> {
    /// Creates the refund of an order's payment. Returns [`EventOutcome::NotReady`] if the money is not captured yet.
    pub async fn on_refund_requested(
        &self,
        requested: RefundRequested,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        let RefundRequested { order, refund, attempt, amount } = requested;
        let known = self.store.find(order).await?;
        let captured = known.as_ref().and_then(|account| account.attempt(attempt));
        let captured = captured.is_some_and(|attempt| attempt.status == AttemptStatus::Captured);
        if !captured {
            // No receipt is stored, so that the event is delivered again.
            return Ok(NOT_CAPTURED);
        }
        let step = move |decider: &mut PaymentDecider| decider.refund_order(refund, attempt, amount);
        Ok(match self.decide(order, Some(receipt), step).await? {
            Some(Match::Matched) | None => EventOutcome::Applied,
            Some(Match::Unmatched) => NOT_CAPTURED,
        })
    }
}
