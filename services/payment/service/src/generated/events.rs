// Rendered by `cargo martgen generate` from proto/mart/payment/v1; changes are made there.

//! The events of the payment service: those it publishes and those of others that it reacts to.

use std::future::Future;
use std::sync::Arc;

use mart_chassis::Record;
use mart_chassis::consumer::{self, Subscription, DispatchError, Outcome};
use mart_chassis::record::ReceivedEvent;
use mart_chassis::run::Topic;
use mart_kernel::EventEnvelope;
use mart_proto::order::v1 as order;
use mart_proto::payment::v1;
use payment_core::domain::{Fact, fact};

/// The topics that this service owns.
pub const TOPICS: &[Topic] = &[Topic { name: "mart.payment.v1", retention_minutes: 43200 }];

/// Makes the contract's message of each fact of the core.
pub trait Messages {
    /// Money for an order has come in.
    fn payment_captured(fact: &fact::PaymentCaptured) -> v1::PaymentCaptured;

    /// One attempt to pay has failed. Another may follow, until the order's deadline.
    fn payment_failed(fact: &fact::PaymentFailed) -> v1::PaymentFailed;

    /// Money of an order went back to the customer.
    fn payment_refunded(fact: &fact::PaymentRefunded) -> v1::PaymentRefunded;

    /// A person has to decide: what the provider says does not fit what is known.
    fn payment_review_required(fact: &fact::PaymentReviewRequired) -> v1::PaymentReviewRequired;

    /// Nothing happened: the owner tells the current state again, under the current version, so that a read model can be rebuilt. Take
    /// it where its version is not older than the one you have. Tasks are left out.
    fn payment_republished(fact: &fact::PaymentRepublished) -> v1::PaymentRepublished;
}

/// Makes the record of an event: its topic, its encoded message, and as its key the id of what it happened to.
pub fn record<M: Messages>(event: &EventEnvelope<Fact>) -> Record {
    let key = event.payload.key().to_string();
    match &event.payload {
        Fact::PaymentCaptured(fact) => Record::of(event, "mart.payment.v1", key, &M::payment_captured(fact)),
        Fact::PaymentFailed(fact) => Record::of(event, "mart.payment.v1", key, &M::payment_failed(fact)),
        Fact::PaymentRefunded(fact) => Record::of(event, "mart.payment.v1", key, &M::payment_refunded(fact)),
        Fact::PaymentReviewRequired(fact) => Record::of(event, "mart.payment.v1", key, &M::payment_review_required(fact)),
        Fact::PaymentRepublished(fact) => Record::of(event, "mart.payment.v1", key, &M::payment_republished(fact)),
    }
}

/// The events of others that this service reacts to.
pub const CONSUMED: &[Subscription] = &[
    Subscription { topic: "mart.order.v1", event_type: "mart.order.v1.OrderAwaitingPayment", handler: "open-payment" },
    Subscription { topic: "mart.order.v1", event_type: "mart.order.v1.OrderCancelled", handler: "close-payment" },
    Subscription { topic: "mart.order.v1", event_type: "mart.order.v1.RefundRequested", handler: "refund-order" },
];

/// The handlers to events of others.
pub trait EventHandlers: Send + Sync + 'static {
    /// The stock of an order is reserved; it waits for money until its payment deadline.
    fn on_order_awaiting_payment(
        &self,
        event: ReceivedEvent<order::OrderAwaitingPayment>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// An order was cancelled; its cancel reason says why.
    fn on_order_cancelled(
        &self,
        event: ReceivedEvent<order::OrderCancelled>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// Money of an order has to go back to the customer.
    fn on_refund_requested(
        &self,
        event: ReceivedEvent<order::RefundRequested>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;
}

/// Tells a record to the handler of this name.
async fn dispatch<R: EventHandlers>(handlers: &R, handler: &str, record: &Record) -> Result<Outcome, DispatchError> {
    match handler {
        "open-payment" => handlers.on_order_awaiting_payment(ReceivedEvent::decode("open-payment", record)?).await,
        "close-payment" => handlers.on_order_cancelled(ReceivedEvent::decode("close-payment", record)?).await,
        "refund-order" => handlers.on_refund_requested(ReceivedEvent::decode("refund-order", record)?).await,
        _ => Err(DispatchError::NoHandler),
    }
}

/// These handlers, for the consumer.
pub fn handlers<R: EventHandlers>(handlers: R) -> consumer::EventHandlers {
    let handlers = Arc::new(handlers);
    consumer::EventHandlers::new(CONSUMED, move |handler, record| {
        let handlers = handlers.clone();
        async move { dispatch(&*handlers, &handler, &record).await }
    })
}
