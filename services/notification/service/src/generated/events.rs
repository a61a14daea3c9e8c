// Rendered by `cargo martgen generate` from proto/mart/notification/v1; changes are made there.

//! The events of the notification service: those it publishes and those of others that it reacts to.

use std::future::Future;
use std::sync::Arc;

use mart_chassis::Record;
use mart_chassis::consumer::{self, Subscription, DispatchError, Outcome};
use mart_chassis::record::ReceivedEvent;
use mart_chassis::run::Topic;
use mart_kernel::EventEnvelope;
use mart_proto::order::v1 as order;
use mart_proto::payment::v1 as payment;
use mart_proto::user::v1 as user;
use notification_core::domain::Fact;

/// The topics that this service owns.
pub const TOPICS: &[Topic] = &[];

/// Makes the contract's message of each fact of the core.
pub trait Messages {}

/// Makes the record of an event: its topic, its encoded message, and as its key the id of what it happened to.
pub fn record<M: Messages>(event: &EventEnvelope<Fact>) -> Record {
    match event.payload {}
}

/// The events of others that this service reacts to.
pub const CONSUMED: &[Subscription] = &[
    Subscription { topic: "mart.user_link.v1", event_type: "mart.user.v1.VerificationRequested", handler: "send-verification" },
    Subscription { topic: "mart.user_link.v1", event_type: "mart.user.v1.PasswordResetRequested", handler: "send-reset" },
    Subscription { topic: "mart.order.v1", event_type: "mart.order.v1.OrderPlaced", handler: "tell-placed" },
    Subscription { topic: "mart.order.v1", event_type: "mart.order.v1.OrderChanged", handler: "learn-contact" },
    Subscription { topic: "mart.order.v1", event_type: "mart.order.v1.OrderRepublished", handler: "learn-contact-again" },
    Subscription { topic: "mart.order.v1", event_type: "mart.order.v1.OrderConfirmed", handler: "tell-paid" },
    Subscription { topic: "mart.order.v1", event_type: "mart.order.v1.OrderShipped", handler: "tell-shipped" },
    Subscription { topic: "mart.order.v1", event_type: "mart.order.v1.OrderDelivered", handler: "tell-delivered" },
    Subscription { topic: "mart.order.v1", event_type: "mart.order.v1.OrderCancelled", handler: "tell-cancelled" },
    Subscription { topic: "mart.payment.v1", event_type: "mart.payment.v1.PaymentFailed", handler: "tell-failed" },
    Subscription { topic: "mart.payment.v1", event_type: "mart.payment.v1.PaymentRefunded", handler: "tell-refunded" },
];

/// The handlers to events of others.
pub trait EventHandlers: Send + Sync + 'static {
    /// A mailbox is to be proved: send the link. On a topic of its own that keeps it for an hour only.
    fn on_verification_requested(
        &self,
        event: ReceivedEvent<user::VerificationRequested>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// A password is to be reset: send the link. On a topic of its own that keeps it for an hour only.
    fn on_password_reset_requested(
        &self,
        event: ReceivedEvent<user::PasswordResetRequested>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// A customer placed an order; it waits for stock.
    fn on_order_placed(
        &self,
        event: ReceivedEvent<order::OrderPlaced>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// Address or contact of an order were changed.
    fn on_order_changed(
        &self,
        event: ReceivedEvent<order::OrderChanged>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// Nothing happened: the owner tells the current state again, under the current version, so that a read model can be
    /// rebuilt. Take it where its version is not older than the one you have.
    fn on_order_republished(
        &self,
        event: ReceivedEvent<order::OrderRepublished>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// An order is paid and its stock is reserved.
    fn on_order_confirmed(
        &self,
        event: ReceivedEvent<order::OrderConfirmed>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// An order is on its way.
    fn on_order_shipped(
        &self,
        event: ReceivedEvent<order::OrderShipped>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// An order has arrived.
    fn on_order_delivered(
        &self,
        event: ReceivedEvent<order::OrderDelivered>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// An order was cancelled; its cancel reason says why.
    fn on_order_cancelled(
        &self,
        event: ReceivedEvent<order::OrderCancelled>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// One attempt to pay has failed. Another may follow, until the order's deadline.
    fn on_payment_failed(
        &self,
        event: ReceivedEvent<payment::PaymentFailed>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// Money of an order went back to the customer.
    fn on_payment_refunded(
        &self,
        event: ReceivedEvent<payment::PaymentRefunded>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;
}

/// Tells a record to the handler of this name.
async fn dispatch<R: EventHandlers>(handlers: &R, handler: &str, record: &Record) -> Result<Outcome, DispatchError> {
    match handler {
        "send-verification" => handlers.on_verification_requested(ReceivedEvent::decode("send-verification", record)?).await,
        "send-reset" => handlers.on_password_reset_requested(ReceivedEvent::decode("send-reset", record)?).await,
        "tell-placed" => handlers.on_order_placed(ReceivedEvent::decode("tell-placed", record)?).await,
        "learn-contact" => handlers.on_order_changed(ReceivedEvent::decode("learn-contact", record)?).await,
        "learn-contact-again" => handlers.on_order_republished(ReceivedEvent::decode("learn-contact-again", record)?).await,
        "tell-paid" => handlers.on_order_confirmed(ReceivedEvent::decode("tell-paid", record)?).await,
        "tell-shipped" => handlers.on_order_shipped(ReceivedEvent::decode("tell-shipped", record)?).await,
        "tell-delivered" => handlers.on_order_delivered(ReceivedEvent::decode("tell-delivered", record)?).await,
        "tell-cancelled" => handlers.on_order_cancelled(ReceivedEvent::decode("tell-cancelled", record)?).await,
        "tell-failed" => handlers.on_payment_failed(ReceivedEvent::decode("tell-failed", record)?).await,
        "tell-refunded" => handlers.on_payment_refunded(ReceivedEvent::decode("tell-refunded", record)?).await,
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
