//! Maps the core's events to the contract's messages, and handles the events of order.

use mart_chassis::consumer::{DispatchError, Outcome};
use mart_chassis::convert::{exact, money, timestamp};
use mart_chassis::record::ReceivedEvent;
use mart_kernel::Money;
use mart_proto::order::v1 as order;
use mart_proto::payment::v1;
use payment_core::UseCases;
use payment_core::application::{AwaitingPayment, Cancelled, RefundRequested};
use payment_core::domain::{AttemptId, CustomerId, OrderId, Payer, RefundId, events};
use payment_core::ports::Store;

use super::proto::payment;
use crate::generated::events::{EventHandlers, Messages};

/// Maps the core's events to the contract's messages.
#[derive(Debug, Clone, Copy)]
pub struct PaymentMessages;

impl Messages for PaymentMessages {
    fn payment_captured(event: &events::PaymentCaptured) -> v1::PaymentCaptured {
        let events::PaymentCaptured { order, attempt, amount, provider } = event;
        v1::PaymentCaptured {
            order_id: order.0.to_string(),
            payment_id: attempt.0.to_string(),
            amount: Some(money(*amount)),
            provider: provider.name().to_owned(),
        }
    }

    fn payment_failed(event: &events::PaymentFailed) -> v1::PaymentFailed {
        let events::PaymentFailed { order, attempt, reason } = event;
        v1::PaymentFailed { order_id: order.0.to_string(), payment_id: attempt.0.to_string(), reason: reason.clone() }
    }

    fn payment_refunded(event: &events::PaymentRefunded) -> v1::PaymentRefunded {
        let events::PaymentRefunded { order, attempt, amount } = event;
        v1::PaymentRefunded {
            order_id: order.0.to_string(),
            payment_id: attempt.0.to_string(),
            amount: Some(money(*amount)),
        }
    }

    fn payment_review_required(event: &events::PaymentReviewRequired) -> v1::PaymentReviewRequired {
        let events::PaymentReviewRequired { order, attempt, reason } = event;
        v1::PaymentReviewRequired {
            order_id: order.0.to_string(),
            payment_id: attempt.0.to_string(),
            reason: reason.clone(),
        }
    }

    fn payment_republished(event: &events::PaymentRepublished) -> v1::PaymentRepublished {
        let mut payment = payment(&event.account, false);
        // A checkout is only for the customer who pays with it.
        payment.attempts.iter_mut().for_each(|attempt| attempt.checkout = None);
        v1::PaymentRepublished { payment: Some(payment) }
    }
}

/// Handles the events of order.
#[derive(Debug)]
pub struct PaymentEventHandlers<S> {
    use_cases: UseCases<S>,
}

impl<S: Store> PaymentEventHandlers<S> {
    /// Creates the handlers over these use cases.
    pub fn new(use_cases: UseCases<S>) -> Self {
        Self { use_cases }
    }
}

const INVALID: Outcome = Outcome::Reject("invalid id, amount or time");

/// Maps the result of a use case. Only a refund can be not ready.
/// Returns the order's id, customer and total, or `None` if the id or the total is invalid.
fn parse_order(order: &order::Order) -> Option<(OrderId, CustomerId, Money)> {
    let total = exact("total", &order.total.clone().unwrap_or_default()).ok()?;
    Some((OrderId(order.order_id.parse().ok()?), CustomerId(order.customer_id.clone()), total))
}

impl<S: Store + 'static> EventHandlers for PaymentEventHandlers<S> {
    async fn on_order_awaiting_payment(
        &self,
        event: ReceivedEvent<order::OrderAwaitingPayment>,
    ) -> Result<Outcome, DispatchError> {
        let message = event.payload.order.clone().unwrap_or_default();
        let deadline = timestamp("paymentDeadline", message.payment_deadline).ok().flatten();
        let (Some((order, customer, amount)), Some(deadline)) = (parse_order(&message), deadline) else {
            return Ok(INVALID);
        };
        let order::Contact { email, phone, .. } = message.contact.unwrap_or_default();
        let country = message.shipping_address.unwrap_or_default().country_code;
        let payer = Payer { email, phone, country };
        let awaiting = AwaitingPayment { order, customer, payer, amount, deadline };
        Ok(self.use_cases.on_order_awaiting_payment(awaiting, event.receipt()).await?.into())
    }

    async fn on_order_cancelled(&self, event: ReceivedEvent<order::OrderCancelled>) -> Result<Outcome, DispatchError> {
        let cancelled = event.payload.order.clone().unwrap_or_default();
        let Some((order, customer, amount)) = parse_order(&cancelled) else { return Ok(INVALID) };
        let cancelled = Cancelled { order, customer, amount };
        Ok(self.use_cases.on_order_cancelled(cancelled, event.receipt()).await?.into())
    }

    async fn on_refund_requested(
        &self,
        event: ReceivedEvent<order::RefundRequested>,
    ) -> Result<Outcome, DispatchError> {
        let order::RefundRequested { order, payment_id, amount } = event.payload.clone();
        let order = parse_order(&order.unwrap_or_default()).map(|(order, ..)| order);
        let attempt = payment_id.parse().map(AttemptId).ok();
        let amount = exact("amount", &amount.unwrap_or_default()).ok();
        let (Some(order), Some(attempt), Some(amount)) = (order, attempt, amount) else { return Ok(INVALID) };
        // The event's id is the refund's id, so a repeated event refunds once.
        let requested = RefundRequested { order, refund: RefundId(event.id), attempt, amount };
        Ok(self.use_cases.on_refund_requested(requested, event.receipt()).await?.into())
    }
}
