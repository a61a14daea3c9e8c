// Rendered by `cargo martgen generate` from proto/mart/notification/v1; changes are made there.

//! The events of the notification service: those it publishes and those of others that it reacts to.

use std::future::Future;
use std::sync::Arc;

use mart_chassis::Record;
use mart_chassis::consumer::{self, Consumed, DispatchError, Reaction};
use mart_chassis::record::Incoming;
use mart_chassis::run::Topic;
use mart_kernel::Event;
use mart_proto::order::v1 as order;
use mart_proto::payment::v1 as payment;
use mart_proto::user::v1 as user;
use notification_core::domain::Fact;

/// The topics that this service owns.
pub const TOPICS: &[Topic] = &[];

/// Makes the contract's message of each fact of the core.
pub trait Messages {}

/// Makes the record of an event: its topic, its encoded message, and as its key the id of what it happened to.
pub fn record<M: Messages>(event: &Event<Fact>) -> Record {
    match event.fact {}
}

/// The events of others that this service reacts to.
pub const CONSUMED: &[Consumed] = &[
    Consumed { topic: "mart.user_link.v1", kind: "mart.user.v1.VerificationRequested", handler: "send-verification" },
    Consumed { topic: "mart.user_link.v1", kind: "mart.user.v1.PasswordResetRequested", handler: "send-reset" },
    Consumed { topic: "mart.order.v1", kind: "mart.order.v1.OrderPlaced", handler: "tell-placed" },
    Consumed { topic: "mart.order.v1", kind: "mart.order.v1.OrderChanged", handler: "learn-contact" },
    Consumed { topic: "mart.order.v1", kind: "mart.order.v1.OrderRepublished", handler: "learn-contact-again" },
    Consumed { topic: "mart.order.v1", kind: "mart.order.v1.OrderConfirmed", handler: "tell-paid" },
    Consumed { topic: "mart.order.v1", kind: "mart.order.v1.OrderShipped", handler: "tell-shipped" },
    Consumed { topic: "mart.order.v1", kind: "mart.order.v1.OrderDelivered", handler: "tell-delivered" },
    Consumed { topic: "mart.order.v1", kind: "mart.order.v1.OrderCancelled", handler: "tell-cancelled" },
    Consumed { topic: "mart.payment.v1", kind: "mart.payment.v1.PaymentFailed", handler: "tell-failed" },
    Consumed { topic: "mart.payment.v1", kind: "mart.payment.v1.PaymentRefunded", handler: "tell-refunded" },
];

/// The reactions to events of others.
pub trait Reactions: Send + Sync + 'static {
    /// A mailbox is to be proved: send the link. On a topic of its own that keeps it for an hour only.
    fn on_verification_requested(
        &self,
        event: Incoming<user::VerificationRequested>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// A password is to be reset: send the link. On a topic of its own that keeps it for an hour only.
    fn on_password_reset_requested(
        &self,
        event: Incoming<user::PasswordResetRequested>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// A customer placed an order; it waits for stock.
    fn on_order_placed(
        &self,
        event: Incoming<order::OrderPlaced>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// Address or contact of an order were changed.
    fn on_order_changed(
        &self,
        event: Incoming<order::OrderChanged>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// Nothing happened: the owner tells the current state again, under the current version, so that a read model can be
    /// rebuilt. Take it where its version is not older than the one you have.
    fn on_order_republished(
        &self,
        event: Incoming<order::OrderRepublished>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// An order is paid and its stock is reserved.
    fn on_order_confirmed(
        &self,
        event: Incoming<order::OrderConfirmed>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// An order is on its way.
    fn on_order_shipped(
        &self,
        event: Incoming<order::OrderShipped>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// An order has arrived.
    fn on_order_delivered(
        &self,
        event: Incoming<order::OrderDelivered>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// An order was cancelled; its cancel reason says why.
    fn on_order_cancelled(
        &self,
        event: Incoming<order::OrderCancelled>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// One attempt to pay has failed. Another may follow, until the order's deadline.
    fn on_payment_failed(
        &self,
        event: Incoming<payment::PaymentFailed>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// Money of an order went back to the customer.
    fn on_payment_refunded(
        &self,
        event: Incoming<payment::PaymentRefunded>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;
}

/// Tells a record to the reaction of this name.
async fn dispatch<R: Reactions>(reactions: &R, handler: &str, record: &Record) -> Result<Reaction, DispatchError> {
    match handler {
        "send-verification" => reactions.on_verification_requested(Incoming::read("send-verification", record)?).await,
        "send-reset" => reactions.on_password_reset_requested(Incoming::read("send-reset", record)?).await,
        "tell-placed" => reactions.on_order_placed(Incoming::read("tell-placed", record)?).await,
        "learn-contact" => reactions.on_order_changed(Incoming::read("learn-contact", record)?).await,
        "learn-contact-again" => reactions.on_order_republished(Incoming::read("learn-contact-again", record)?).await,
        "tell-paid" => reactions.on_order_confirmed(Incoming::read("tell-paid", record)?).await,
        "tell-shipped" => reactions.on_order_shipped(Incoming::read("tell-shipped", record)?).await,
        "tell-delivered" => reactions.on_order_delivered(Incoming::read("tell-delivered", record)?).await,
        "tell-cancelled" => reactions.on_order_cancelled(Incoming::read("tell-cancelled", record)?).await,
        "tell-failed" => reactions.on_payment_failed(Incoming::read("tell-failed", record)?).await,
        "tell-refunded" => reactions.on_payment_refunded(Incoming::read("tell-refunded", record)?).await,
        _ => Err(DispatchError::NoHandler),
    }
}

/// These reactions, for the consumer.
pub fn reactions<R: Reactions>(reactions: R) -> consumer::Reactions {
    let reactions = Arc::new(reactions);
    consumer::Reactions::new(CONSUMED, move |handler, record| {
        let reactions = reactions.clone();
        async move { dispatch(&*reactions, &handler, &record).await }
    })
}
