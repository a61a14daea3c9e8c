// Rendered by `cargo martgen generate` from proto/mart/order/v1; changes are made there.

//! The events of the order service: those that it publishes and those that it subscribes to.

use std::future::Future;
use std::sync::Arc;

use mart_chassis::Record;
use mart_chassis::consumer::{self, DispatchError, Outcome, Subscription};
use mart_chassis::record::{ReceivedEvent, Topic};
use mart_kernel::EventEnvelope;
use mart_proto::inventory::v1 as inventory;
use mart_proto::order::v1;
use mart_proto::payment::v1 as payment;
use mart_proto::product::v1 as product;
use order_core::domain::{OrderEvent, events};

/// The topics that this service owns.
pub const TOPICS: &[Topic] = &[Topic { name: "mart.order.v1", retention_minutes: 43200 }];

/// Converts each event of the core to the contract's message.
pub trait Messages {
    /// A customer placed an order; it awaits the reservation of its stock.
    fn order_placed(event: &events::OrderPlaced) -> v1::OrderPlaced;

    /// The shipping address or the contact of an order changed.
    fn order_changed(event: &events::OrderChanged) -> v1::OrderChanged;

    /// The stock of an order is reserved; it awaits payment until its deadline.
    fn order_awaiting_payment(event: &events::OrderAwaitingPayment) -> v1::OrderAwaitingPayment;

    /// An order is paid and its stock is reserved.
    fn order_confirmed(event: &events::OrderConfirmed) -> v1::OrderConfirmed;

    /// An order was cancelled, for its cancel reason.
    fn order_cancelled(event: &events::OrderCancelled) -> v1::OrderCancelled;

    /// A payment arrived for an order that had been cancelled because its deadline passed: it awaits its stock again,
    /// paid.
    fn order_reinstated(event: &events::OrderReinstated) -> v1::OrderReinstated;

    /// An order was shipped.
    fn order_shipped(event: &events::OrderShipped) -> v1::OrderShipped;

    /// An order was delivered.
    fn order_delivered(event: &events::OrderDelivered) -> v1::OrderDelivered;

    /// A payment of an order has to be refunded.
    fn refund_requested(event: &events::RefundRequested) -> v1::RefundRequested;

    /// Repeats the current state under its current version, so that consumers can rebuild a read model; nothing has
    /// changed. Apply it unless you hold a newer version.
    fn order_republished(event: &events::OrderRepublished) -> v1::OrderRepublished;
}

/// Returns the record of an event: its topic, its encoded message and, as its key, the id of its aggregate.
pub fn record<M: Messages>(event: &EventEnvelope<OrderEvent>) -> Record {
    let key = event.payload.key().to_string();
    match &event.payload {
        OrderEvent::OrderPlaced(payload) => Record::of(event, "mart.order.v1", key, &M::order_placed(payload)),
        OrderEvent::OrderChanged(payload) => Record::of(event, "mart.order.v1", key, &M::order_changed(payload)),
        OrderEvent::OrderAwaitingPayment(payload) => {
            Record::of(event, "mart.order.v1", key, &M::order_awaiting_payment(payload))
        }
        OrderEvent::OrderConfirmed(payload) => Record::of(event, "mart.order.v1", key, &M::order_confirmed(payload)),
        OrderEvent::OrderCancelled(payload) => Record::of(event, "mart.order.v1", key, &M::order_cancelled(payload)),
        OrderEvent::OrderReinstated(payload) => Record::of(event, "mart.order.v1", key, &M::order_reinstated(payload)),
        OrderEvent::OrderShipped(payload) => Record::of(event, "mart.order.v1", key, &M::order_shipped(payload)),
        OrderEvent::OrderDelivered(payload) => Record::of(event, "mart.order.v1", key, &M::order_delivered(payload)),
        OrderEvent::RefundRequested(payload) => Record::of(event, "mart.order.v1", key, &M::refund_requested(payload)),
        OrderEvent::OrderRepublished(payload) => {
            Record::of(event, "mart.order.v1", key, &M::order_republished(payload))
        }
    }
}

/// The names of the handlers, which are the scopes of their receipts.
pub mod handler {
    /// Handles ProductCreated.
    pub const PRODUCT_CREATED: &str = "order.product-created";
    /// Handles ProductUpdated.
    pub const PRODUCT_UPDATED: &str = "order.product-updated";
    /// Handles ProductPriceChanged.
    pub const PRODUCT_PRICE_CHANGED: &str = "order.product-price-changed";
    /// Handles ProductActivated.
    pub const PRODUCT_ACTIVATED: &str = "order.product-activated";
    /// Handles ProductArchived.
    pub const PRODUCT_ARCHIVED: &str = "order.product-archived";
    /// Handles ProductRepublished.
    pub const PRODUCT_REPUBLISHED: &str = "order.product-republished";
    /// Handles StockReserved.
    pub const STOCK_RESERVED: &str = "order.stock-reserved";
    /// Handles StockRejected.
    pub const STOCK_REJECTED: &str = "order.stock-rejected";
    /// Handles ReservationExpired.
    pub const RESERVATION_EXPIRED: &str = "order.reservation-expired";
    /// Handles PaymentCaptured.
    pub const PAYMENT_CAPTURED: &str = "order.payment-captured";
    /// Handles PaymentFailed.
    pub const PAYMENT_FAILED: &str = "order.payment-failed";
    /// Handles PaymentRefunded.
    pub const PAYMENT_REFUNDED: &str = "order.payment-refunded";
}

/// The subscriptions to events of other services.
pub const SUBSCRIPTIONS: &[Subscription] = &[
    Subscription {
        topic: "mart.product.v1",
        event_type: "mart.product.v1.ProductCreated",
        handler: handler::PRODUCT_CREATED,
    },
    Subscription {
        topic: "mart.product.v1",
        event_type: "mart.product.v1.ProductUpdated",
        handler: handler::PRODUCT_UPDATED,
    },
    Subscription {
        topic: "mart.product.v1",
        event_type: "mart.product.v1.ProductPriceChanged",
        handler: handler::PRODUCT_PRICE_CHANGED,
    },
    Subscription {
        topic: "mart.product.v1",
        event_type: "mart.product.v1.ProductActivated",
        handler: handler::PRODUCT_ACTIVATED,
    },
    Subscription {
        topic: "mart.product.v1",
        event_type: "mart.product.v1.ProductArchived",
        handler: handler::PRODUCT_ARCHIVED,
    },
    Subscription {
        topic: "mart.product.v1",
        event_type: "mart.product.v1.ProductRepublished",
        handler: handler::PRODUCT_REPUBLISHED,
    },
    Subscription {
        topic: "mart.reservation.v1",
        event_type: "mart.inventory.v1.StockReserved",
        handler: handler::STOCK_RESERVED,
    },
    Subscription {
        topic: "mart.reservation.v1",
        event_type: "mart.inventory.v1.StockRejected",
        handler: handler::STOCK_REJECTED,
    },
    Subscription {
        topic: "mart.reservation.v1",
        event_type: "mart.inventory.v1.ReservationExpired",
        handler: handler::RESERVATION_EXPIRED,
    },
    Subscription {
        topic: "mart.payment.v1",
        event_type: "mart.payment.v1.PaymentCaptured",
        handler: handler::PAYMENT_CAPTURED,
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
    /// A product was created, as a draft or on sale.
    fn on_product_created(
        &self,
        event: ReceivedEvent<product::ProductCreated>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// Properties other than the prices changed.
    fn on_product_updated(
        &self,
        event: ReceivedEvent<product::ProductUpdated>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// Prices were changed, added or removed.
    fn on_product_price_changed(
        &self,
        event: ReceivedEvent<product::ProductPriceChanged>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// A draft went on sale.
    fn on_product_activated(
        &self,
        event: ReceivedEvent<product::ProductActivated>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// A product was taken off sale for good.
    fn on_product_archived(
        &self,
        event: ReceivedEvent<product::ProductArchived>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// Repeats the current state under its current version, so that consumers can rebuild a read model; nothing has
    /// changed. Apply it unless you hold a newer version.
    fn on_product_republished(
        &self,
        event: ReceivedEvent<product::ProductRepublished>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// The stock of all lines of an order is reserved.
    fn on_stock_reserved(
        &self,
        event: ReceivedEvent<inventory::StockReserved>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// Nothing is reserved for an order, because the stock of some of its lines is insufficient.
    fn on_stock_rejected(
        &self,
        event: ReceivedEvent<inventory::StockRejected>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// A reservation expired; its units are available again.
    fn on_reservation_expired(
        &self,
        event: ReceivedEvent<inventory::ReservationExpired>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// Money for an order was received.
    fn on_payment_captured(
        &self,
        event: ReceivedEvent<payment::PaymentCaptured>,
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
        handler::PRODUCT_CREATED => {
            handlers.on_product_created(ReceivedEvent::decode(handler::PRODUCT_CREATED, record)?).await
        }
        handler::PRODUCT_UPDATED => {
            handlers.on_product_updated(ReceivedEvent::decode(handler::PRODUCT_UPDATED, record)?).await
        }
        handler::PRODUCT_PRICE_CHANGED => {
            handlers.on_product_price_changed(ReceivedEvent::decode(handler::PRODUCT_PRICE_CHANGED, record)?).await
        }
        handler::PRODUCT_ACTIVATED => {
            handlers.on_product_activated(ReceivedEvent::decode(handler::PRODUCT_ACTIVATED, record)?).await
        }
        handler::PRODUCT_ARCHIVED => {
            handlers.on_product_archived(ReceivedEvent::decode(handler::PRODUCT_ARCHIVED, record)?).await
        }
        handler::PRODUCT_REPUBLISHED => {
            handlers.on_product_republished(ReceivedEvent::decode(handler::PRODUCT_REPUBLISHED, record)?).await
        }
        handler::STOCK_RESERVED => {
            handlers.on_stock_reserved(ReceivedEvent::decode(handler::STOCK_RESERVED, record)?).await
        }
        handler::STOCK_REJECTED => {
            handlers.on_stock_rejected(ReceivedEvent::decode(handler::STOCK_REJECTED, record)?).await
        }
        handler::RESERVATION_EXPIRED => {
            handlers.on_reservation_expired(ReceivedEvent::decode(handler::RESERVATION_EXPIRED, record)?).await
        }
        handler::PAYMENT_CAPTURED => {
            handlers.on_payment_captured(ReceivedEvent::decode(handler::PAYMENT_CAPTURED, record)?).await
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
