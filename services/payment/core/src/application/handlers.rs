//! What the order service tells.

use mart_kernel::{Money, Receipt, StoreError, Timestamp};

use super::UseCases;
use crate::domain::{AttemptId, AttemptStatus, CustomerId, Match, OrderId, Payer, PaymentDecider, RefundId};
use crate::ports::Store;

/// An order awaits its money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    /// The order.
    pub order: OrderId,
    /// Who pays.
    pub customer: CustomerId,
    /// What is known of him.
    pub payer: Payer,
    /// How much.
    pub amount: Money,
    /// Until when.
    pub deadline: Timestamp,
}

/// An order was cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelled {
    /// The order.
    pub order: OrderId,
    /// Whose it was.
    pub customer: CustomerId,
    /// What it would have cost.
    pub amount: Money,
}

/// An order's money has to go back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundAsked {
    /// The order.
    pub order: OrderId,
    /// The refund's id: that of the event which asks for it.
    pub refund: RefundId,
    /// The attempt that the money came in by.
    pub attempt: AttemptId,
    /// How much.
    pub amount: Money,
}

impl<S: Store> UseCases<S> {
    /// An order awaits its money: it can be paid.
    pub async fn on_awaited(&self, awaited: Awaited, receipt: Receipt) -> Result<(), StoreError> {
        let Awaited { order, customer, payer, amount, deadline } = awaited;
        let step = move |decider: &mut PaymentDecider| decider.awaited(order, customer, payer, amount, deadline);
        self.decide(order, Some(receipt), step).await.map(|_| ())
    }

    /// An order was cancelled: nobody pays it any more.
    pub async fn on_cancelled(&self, cancelled: Cancelled, receipt: Receipt) -> Result<(), StoreError> {
        let Cancelled { order, customer, amount } = cancelled;
        let step = move |decider: &mut PaymentDecider| decider.cancelled(order, customer, amount);
        self.decide(order, Some(receipt), step).await.map(|_| ())
    }

    /// An order's money has to go back; whether it could be said already.
    pub async fn on_refund_asked(&self, asked: RefundAsked, receipt: Receipt) -> Result<Match, StoreError> {
        let RefundAsked { order, refund, attempt, amount } = asked;
        let known = self.store.find(order).await?;
        let captured = known.as_ref().and_then(|account| account.attempt(attempt));
        let captured = captured.is_some_and(|attempt| attempt.status == AttemptStatus::Captured);
        if !captured {
            // No receipt is kept: it is told again.
            return Ok(Match::Unmatched);
        }
        let step = move |decider: &mut PaymentDecider| decider.refund_order(refund, attempt, amount);
        Ok(self.decide(order, Some(receipt), step).await?.unwrap_or(Match::Matched))
    }
}
