// Rendered by `cargo martgen generate` from proto/mart/payment/v1; changes are made there.

//! The events of the payment service: those that it publishes and those that it subscribes to.

use std::future::Future;
use std::sync::Arc;

use mart_chassis::Record;
use mart_chassis::consumer::{self, DispatchError, Outcome, Subscription};
use mart_chassis::record::{ReceivedEvent, Topic};
use mart_kernel::EventEnvelope;
use mart_proto::order::v1 as order;
use mart_proto::payment::v1;
use payment_core::domain::{PaymentEvent, events};

/// The topics that this service owns.
pub const TOPICS: &[Topic] = &[Topic { name: "mart.payment.v1", retention_minutes: 43200 }];

/// Converts each event of the core to the contract's message.
pub trait Messages {
    /// Money for an order was received.
    fn payment_captured(event: &events::PaymentCaptured) -> v1::PaymentCaptured;

    /// An attempt to pay failed. Another may follow until the order's payment deadline.
    fn payment_failed(event: &events::PaymentFailed) -> v1::PaymentFailed;

    /// Money of an order went back to the customer.
    fn payment_refunded(event: &events::PaymentRefunded) -> v1::PaymentRefunded;

    /// An operator has to decide: a report of the provider contradicts the stored payment.
    fn payment_review_required(event: &events::PaymentReviewRequired) -> v1::PaymentReviewRequired;

    /// Repeats the current state under its current version, so that consumers can rebuild a read model; nothing has
    /// changed. Apply it unless you hold a newer version. Tasks are left out.
    fn payment_republished(event: &events::PaymentRepublished) -> v1::PaymentRepublished;
}

/// Returns the record of an event: its topic, its encoded message and, as its key, the id of its aggregate.
pub fn record<M: Messages>(event: &EventEnvelope<PaymentEvent>) -> Record {
    let key = event.payload.key().to_string();
    match &event.payload {
        PaymentEvent::PaymentCaptured(payload) => {
            Record::of(event, "mart.payment.v1", key, &M::payment_captured(payload))
        }
        PaymentEvent::PaymentFailed(payload) => Record::of(event, "mart.payment.v1", key, &M::payment_failed(payload)),
        PaymentEvent::PaymentRefunded(payload) => {
            Record::of(event, "mart.payment.v1", key, &M::payment_refunded(payload))
        }
        PaymentEvent::PaymentReviewRequired(payload) => {
            Record::of(event, "mart.payment.v1", key, &M::payment_review_required(payload))
        }
        PaymentEvent::PaymentRepublished(payload) => {
            Record::of(event, "mart.payment.v1", key, &M::payment_republished(payload))
        }
    }
}

/// The names of the handlers, which are the scopes of their receipts.
pub mod handler {
    /// Handles OrderAwaitingPayment.
    pub const ORDER_AWAITING_PAYMENT: &str = "payment.order-awaiting-payment";
    /// Handles OrderCancelled.
    pub const ORDER_CANCELLED: &str = "payment.order-cancelled";
    /// Handles RefundRequested.
    pub const REFUND_REQUESTED: &str = "payment.refund-requested";
}

/// The subscriptions to events of other services.
pub const SUBSCRIPTIONS: &[Subscription] = &[
    Subscription {
        topic: "mart.order.v1",
        event_type: "mart.order.v1.OrderAwaitingPayment",
        handler: handler::ORDER_AWAITING_PAYMENT,
    },
    Subscription {
        topic: "mart.order.v1",
        event_type: "mart.order.v1.OrderCancelled",
        handler: handler::ORDER_CANCELLED,
    },
    Subscription {
        topic: "mart.order.v1",
        event_type: "mart.order.v1.RefundRequested",
        handler: handler::REFUND_REQUESTED,
    },
];

/// The handlers of events of other services.
pub trait EventHandlers: Send + Sync + 'static {
    /// The stock of an order is reserved; it awaits payment until its deadline.
    fn on_order_awaiting_payment(
        &self,
        event: ReceivedEvent<order::OrderAwaitingPayment>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// An order was cancelled, for its cancel reason.
    fn on_order_cancelled(
        &self,
        event: ReceivedEvent<order::OrderCancelled>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// A payment of an order has to be refunded.
    fn on_refund_requested(
        &self,
        event: ReceivedEvent<order::RefundRequested>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;
}

/// Calls the handler with this name.
async fn dispatch<R: EventHandlers>(handlers: &R, handler: &str, record: &Record) -> Result<Outcome, DispatchError> {
    match handler {
        handler::ORDER_AWAITING_PAYMENT => {
            handlers.on_order_awaiting_payment(ReceivedEvent::decode(handler::ORDER_AWAITING_PAYMENT, record)?).await
        }
        handler::ORDER_CANCELLED => {
            handlers.on_order_cancelled(ReceivedEvent::decode(handler::ORDER_CANCELLED, record)?).await
        }
        handler::REFUND_REQUESTED => {
            handlers.on_refund_requested(ReceivedEvent::decode(handler::REFUND_REQUESTED, record)?).await
        }
        _ => Err(DispatchError::NoHandler),
    }
}

/// Returns the handlers for the consumer.
pub fn handlers<R: EventHandlers>(handlers: R) -> consumer::EventHandlers {
    let handlers = Arc::new(handlers);
    consumer::EventHandlers::new(SUBSCRIPTIONS, move |handler, record| {
        let handlers = handlers.clone();
        async move { dispatch(&*handlers, &handler, &record).await }
    })
}
