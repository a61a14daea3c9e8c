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

/// The subscriptions to events of other services.
pub const SUBSCRIPTIONS: &[Subscription] = &[
    Subscription {
        topic: "mart.user_link.v1",
        event_type: "mart.user.v1.VerificationRequested",
        handler: "notification.verification-requested",
    },
    Subscription {
        topic: "mart.user_link.v1",
        event_type: "mart.user.v1.PasswordResetRequested",
        handler: "notification.password-reset-requested",
    },
    Subscription {
        topic: "mart.order.v1",
        event_type: "mart.order.v1.OrderPlaced",
        handler: "notification.order-placed",
    },
    Subscription {
        topic: "mart.order.v1",
        event_type: "mart.order.v1.OrderChanged",
        handler: "notification.order-changed",
    },
    Subscription {
        topic: "mart.order.v1",
        event_type: "mart.order.v1.OrderRepublished",
        handler: "notification.order-republished",
    },
    Subscription {
        topic: "mart.order.v1",
        event_type: "mart.order.v1.OrderConfirmed",
        handler: "notification.order-confirmed",
    },
    Subscription {
        topic: "mart.order.v1",
        event_type: "mart.order.v1.OrderShipped",
        handler: "notification.order-shipped",
    },
    Subscription {
        topic: "mart.order.v1",
        event_type: "mart.order.v1.OrderDelivered",
        handler: "notification.order-delivered",
    },
    Subscription {
        topic: "mart.order.v1",
        event_type: "mart.order.v1.OrderCancelled",
        handler: "notification.order-cancelled",
    },
    Subscription {
        topic: "mart.payment.v1",
        event_type: "mart.payment.v1.PaymentFailed",
        handler: "notification.payment-failed",
    },
    Subscription {
        topic: "mart.payment.v1",
        event_type: "mart.payment.v1.PaymentRefunded",
        handler: "notification.payment-refunded",
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
        "notification.verification-requested" => {
            handlers
                .on_verification_requested(ReceivedEvent::decode("notification.verification-requested", record)?)
                .await
        }
        "notification.password-reset-requested" => {
            handlers
                .on_password_reset_requested(ReceivedEvent::decode("notification.password-reset-requested", record)?)
                .await
        }
        "notification.order-placed" => {
            handlers.on_order_placed(ReceivedEvent::decode("notification.order-placed", record)?).await
        }
        "notification.order-changed" => {
            handlers.on_order_changed(ReceivedEvent::decode("notification.order-changed", record)?).await
        }
        "notification.order-republished" => {
            handlers.on_order_republished(ReceivedEvent::decode("notification.order-republished", record)?).await
        }
        "notification.order-confirmed" => {
            handlers.on_order_confirmed(ReceivedEvent::decode("notification.order-confirmed", record)?).await
        }
        "notification.order-shipped" => {
            handlers.on_order_shipped(ReceivedEvent::decode("notification.order-shipped", record)?).await
        }
        "notification.order-delivered" => {
            handlers.on_order_delivered(ReceivedEvent::decode("notification.order-delivered", record)?).await
        }
        "notification.order-cancelled" => {
            handlers.on_order_cancelled(ReceivedEvent::decode("notification.order-cancelled", record)?).await
        }
        "notification.payment-failed" => {
            handlers.on_payment_failed(ReceivedEvent::decode("notification.payment-failed", record)?).await
        }
        "notification.payment-refunded" => {
            handlers.on_payment_refunded(ReceivedEvent::decode("notification.payment-refunded", record)?).await
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
