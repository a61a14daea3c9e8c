//! Handles the events of order.

use mart_kernel::{Money, Receipt, StoreError, Timestamp};

use super::UseCases;
use crate::domain::{AttemptId, AttemptStatus, CustomerId, Match, OrderId, Payer, PaymentDecider, RefundId};
use crate::ports::Store;

/// OrderAwaitingPayment: an order to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwaitingPayment {
    /// The order.
    pub order: OrderId,
    /// The customer.
    pub customer: CustomerId,
    /// The payer's contact.
    pub payer: Payer,
    /// The amount.
    pub amount: Money,
    /// The payment deadline.
    pub deadline: Timestamp,
}

/// OrderCancelled: an order that is no longer to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelled {
    /// The order.
    pub order: OrderId,
    /// The customer.
    pub customer: CustomerId,
    /// The order's total.
    pub amount: Money,
}

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
    /// Opens the payment of an order.
    pub async fn on_order_awaiting_payment(
        &self,
        awaiting: AwaitingPayment,
        receipt: Receipt,
    ) -> Result<(), StoreError> {
        let AwaitingPayment { order, customer, payer, amount, deadline } = awaiting;
        let step = move |decider: &mut PaymentDecider| decider.open_payment(order, customer, payer, amount, deadline);
        self.decide(order, Some(receipt), step).await.map(|_| ())
    }

    /// Closes the payment of a cancelled order.
    pub async fn on_order_cancelled(&self, cancelled: Cancelled, receipt: Receipt) -> Result<(), StoreError> {
        let Cancelled { order, customer, amount } = cancelled;
        let step = move |decider: &mut PaymentDecider| decider.close_payment(order, customer, amount);
        self.decide(order, Some(receipt), step).await.map(|_| ())
    }

    /// Creates the refund of an order's payment. Returns [`Match::Unmatched`] if the money is not captured yet.
    pub async fn on_refund_requested(&self, requested: RefundRequested, receipt: Receipt) -> Result<Match, StoreError> {
        let RefundRequested { order, refund, attempt, amount } = requested;
        let known = self.store.find(order).await?;
        let captured = known.as_ref().and_then(|account| account.attempt(attempt));
        let captured = captured.is_some_and(|attempt| attempt.status == AttemptStatus::Captured);
        if !captured {
            // No receipt is stored, so that the event is delivered again.
            return Ok(Match::Unmatched);
        }
        let step = move |decider: &mut PaymentDecider| decider.refund_order(refund, attempt, amount);
        Ok(self.decide(order, Some(receipt), step).await?.unwrap_or(Match::Matched))
    }
}
