// Rendered by `cargo martgen generate` from proto/mart/notification/v1; changes are made there.

//! The events of the notification service: those that it publishes and those that it subscribes to.

use std::future::Future;
use std::sync::Arc;

use mart_chassis::Record;
use mart_chassis::consumer::{self, DispatchError, Outcome, Subscription};
use mart_chassis::record::{ReceivedEvent, Topic};
use mart_kernel::EventEnvelope;
use mart_proto::order::v1 as order;
use mart_proto::payment::v1 as payment;
use mart_proto::user::v1 as user;
use notification_core::domain::NotificationEvent;

/// The topics that this service owns.
pub const TOPICS: &[Topic] = &[];

/// Converts each event of the core to the contract's message.
pub trait Messages {}

/// Returns the record of an event: its topic, its encoded message and, as its key, the id of its aggregate.
pub fn record<M: Messages>(event: &EventEnvelope<NotificationEvent>) -> Record {
    match event.payload {}
}

/// The names of the handlers, which are the scopes of their receipts.
pub mod handler {
    /// Handles VerificationRequested.
    pub const VERIFICATION_REQUESTED: &str = "notification.verification-requested";
    /// Handles PasswordResetRequested.
    pub const PASSWORD_RESET_REQUESTED: &str = "notification.password-reset-requested";
    /// Handles OrderPlaced.
    pub const ORDER_PLACED: &str = "notification.order-placed";
    /// Handles OrderChanged.
    pub const ORDER_CHANGED: &str = "notification.order-changed";
    /// Handles OrderRepublished.
    pub const ORDER_REPUBLISHED: &str = "notification.order-republished";
    /// Handles OrderConfirmed.
    pub const ORDER_CONFIRMED: &str = "notification.order-confirmed";
    /// Handles OrderShipped.
    pub const ORDER_SHIPPED: &str = "notification.order-shipped";
    /// Handles OrderDelivered.
    pub const ORDER_DELIVERED: &str = "notification.order-delivered";
    /// Handles OrderCancelled.
    pub const ORDER_CANCELLED: &str = "notification.order-cancelled";
    /// Handles PaymentFailed.
    pub const PAYMENT_FAILED: &str = "notification.payment-failed";
    /// Handles PaymentRefunded.
    pub const PAYMENT_REFUNDED: &str = "notification.payment-refunded";
}

/// The subscriptions to events of other services.
pub const SUBSCRIPTIONS: &[Subscription] = &[
    Subscription {
        topic: "mart.user_link.v1",
        event_type: "mart.user.v1.VerificationRequested",
        handler: handler::VERIFICATION_REQUESTED,
    },
    Subscription {
        topic: "mart.user_link.v1",
        event_type: "mart.user.v1.PasswordResetRequested",
        handler: handler::PASSWORD_RESET_REQUESTED,
    },
    Subscription { topic: "mart.order.v1", event_type: "mart.order.v1.OrderPlaced", handler: handler::ORDER_PLACED },
    Subscription { topic: "mart.order.v1", event_type: "mart.order.v1.OrderChanged", handler: handler::ORDER_CHANGED },
    Subscription {
        topic: "mart.order.v1",
        event_type: "mart.order.v1.OrderRepublished",
        handler: handler::ORDER_REPUBLISHED,
    },
    Subscription {
        topic: "mart.order.v1",
        event_type: "mart.order.v1.OrderConfirmed",
        handler: handler::ORDER_CONFIRMED,
    },
    Subscription { topic: "mart.order.v1", event_type: "mart.order.v1.OrderShipped", handler: handler::ORDER_SHIPPED },
    Subscription {
        topic: "mart.order.v1",
        event_type: "mart.order.v1.OrderDelivered",
        handler: handler::ORDER_DELIVERED,
    },
    Subscription {
        topic: "mart.order.v1",
        event_type: "mart.order.v1.OrderCancelled",
        handler: handler::ORDER_CANCELLED,
    },
    Subscription {
        topic: "mart.payment.v1",
        event_type: "mart.payment.v1.PaymentFailed",
        handler: handler::PAYMENT_FAILED,
    },
    Subscription {
        topic: "mart.payment.v1",
        event_type: "mart.payment.v1.PaymentRefunded",
        handler: handler::PAYMENT_REFUNDED,
    },
];

/// The handlers of events of other services.
pub trait EventHandlers: Send + Sync + 'static {
    /// An email address is to be verified: send the link. Published on a topic of its own with a retention of one hour,
    /// because it holds a secret.
    fn on_verification_requested(
        &self,
        event: ReceivedEvent<user::VerificationRequested>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// A password reset was requested: send the link. Published on a topic of its own with a retention of one hour,
    /// because it holds a secret.
    fn on_password_reset_requested(
        &self,
        event: ReceivedEvent<user::PasswordResetRequested>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// A customer placed an order; it awaits the reservation of its stock.
    fn on_order_placed(
        &self,
        event: ReceivedEvent<order::OrderPlaced>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// The shipping address or the contact of an order changed.
    fn on_order_changed(
        &self,
        event: ReceivedEvent<order::OrderChanged>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// Repeats the current state under its current version, so that consumers can rebuild a read model; nothing has
    /// changed. Apply it unless you hold a newer version.
    fn on_order_republished(
        &self,
        event: ReceivedEvent<order::OrderRepublished>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// An order is paid and its stock is reserved.
    fn on_order_confirmed(
        &self,
        event: ReceivedEvent<order::OrderConfirmed>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// An order was shipped.
    fn on_order_shipped(
        &self,
        event: ReceivedEvent<order::OrderShipped>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// An order was delivered.
    fn on_order_delivered(
        &self,
        event: ReceivedEvent<order::OrderDelivered>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// An order was cancelled, for its cancel reason.
    fn on_order_cancelled(
        &self,
        event: ReceivedEvent<order::OrderCancelled>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// An attempt to pay failed. Another may follow until the order's payment deadline.
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

/// Calls the handler with this name.
async fn dispatch<R: EventHandlers>(handlers: &R, handler: &str, record: &Record) -> Result<Outcome, DispatchError> {
    match handler {
        handler::VERIFICATION_REQUESTED => {
            handlers.on_verification_requested(ReceivedEvent::decode(handler::VERIFICATION_REQUESTED, record)?).await
        }
        handler::PASSWORD_RESET_REQUESTED => {
            handlers
                .on_password_reset_requested(ReceivedEvent::decode(handler::PASSWORD_RESET_REQUESTED, record)?)
                .await
        }
        handler::ORDER_PLACED => handlers.on_order_placed(ReceivedEvent::decode(handler::ORDER_PLACED, record)?).await,
        handler::ORDER_CHANGED => {
            handlers.on_order_changed(ReceivedEvent::decode(handler::ORDER_CHANGED, record)?).await
        }
        handler::ORDER_REPUBLISHED => {
            handlers.on_order_republished(ReceivedEvent::decode(handler::ORDER_REPUBLISHED, record)?).await
        }
        handler::ORDER_CONFIRMED => {
            handlers.on_order_confirmed(ReceivedEvent::decode(handler::ORDER_CONFIRMED, record)?).await
        }
        handler::ORDER_SHIPPED => {
            handlers.on_order_shipped(ReceivedEvent::decode(handler::ORDER_SHIPPED, record)?).await
        }
        handler::ORDER_DELIVERED => {
            handlers.on_order_delivered(ReceivedEvent::decode(handler::ORDER_DELIVERED, record)?).await
        }
        handler::ORDER_CANCELLED => {
            handlers.on_order_cancelled(ReceivedEvent::decode(handler::ORDER_CANCELLED, record)?).await
        }
        handler::PAYMENT_FAILED => {
            handlers.on_payment_failed(ReceivedEvent::decode(handler::PAYMENT_FAILED, record)?).await
        }
        handler::PAYMENT_REFUNDED => {
            handlers.on_payment_refunded(ReceivedEvent::decode(handler::PAYMENT_REFUNDED, record)?).await
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
