// Rendered by `cargo martgen generate` from proto/mart/inventory/v1; changes are made there.

//! The events of the inventory service: those that it publishes and those that it subscribes to.

use std::future::Future;
use std::sync::Arc;

use inventory_core::domain::{InventoryEvent, events};
use mart_chassis::Record;
use mart_chassis::consumer::{self, DispatchError, Outcome, Subscription};
use mart_chassis::record::{ReceivedEvent, Topic};
use mart_kernel::EventEnvelope;
use mart_proto::inventory::v1;
use mart_proto::order::v1 as order;
use mart_proto::product::v1 as product;

/// The topics that this service owns.
pub const TOPICS: &[Topic] = &[
    Topic { name: "mart.reservation.v1", retention_minutes: 43200 },
    Topic { name: "mart.stock_item.v1", retention_minutes: 43200 },
];

/// Converts each event of the core to the contract's message.
pub trait Messages {
    /// A product has a stock item now, with no units in it.
    fn stock_item_created(event: &events::StockItemCreated) -> v1::StockItemCreated;

    /// An admin received units, corrected the count or changed the threshold.
    fn stock_adjusted(event: &events::StockAdjusted) -> v1::StockAdjusted;

    /// The available units fell to the threshold or below. Published once per fall.
    fn stock_low(event: &events::StockLow) -> v1::StockLow;

    /// The stock of all lines of an order is reserved.
    fn stock_reserved(event: &events::StockReserved) -> v1::StockReserved;

    /// Nothing is reserved for an order, because the stock of some of its lines is insufficient.
    fn stock_rejected(event: &events::StockRejected) -> v1::StockRejected;

    /// A reservation expired; its units are available again.
    fn reservation_expired(event: &events::ReservationExpired) -> v1::ReservationExpired;

    /// The order was cancelled; the reserved units are available again.
    fn reservation_released(event: &events::ReservationReleased) -> v1::ReservationReleased;

    /// The order was confirmed; the reserved units are sold.
    fn reservation_committed(event: &events::ReservationCommitted) -> v1::ReservationCommitted;

    /// A confirmed order was cancelled; its units are back in the warehouse.
    fn reservation_returned(event: &events::ReservationReturned) -> v1::ReservationReturned;

    /// Repeats the current state under its current version, so that consumers can rebuild a read model; nothing has
    /// changed. Apply it unless you hold a newer version.
    fn stock_item_republished(event: &events::StockItemRepublished) -> v1::StockItemRepublished;
}

/// Returns the record of an event: its topic, its encoded message and, as its key, the id of its aggregate.
pub fn record<M: Messages>(event: &EventEnvelope<InventoryEvent>) -> Record {
    let key = event.payload.key().to_string();
    match &event.payload {
        InventoryEvent::StockItemCreated(payload) => {
            Record::of(event, "mart.stock_item.v1", key, &M::stock_item_created(payload))
        }
        InventoryEvent::StockAdjusted(payload) => {
            Record::of(event, "mart.stock_item.v1", key, &M::stock_adjusted(payload))
        }
        InventoryEvent::StockLow(payload) => Record::of(event, "mart.stock_item.v1", key, &M::stock_low(payload)),
        InventoryEvent::StockReserved(payload) => {
            Record::of(event, "mart.reservation.v1", key, &M::stock_reserved(payload))
        }
        InventoryEvent::StockRejected(payload) => {
            Record::of(event, "mart.reservation.v1", key, &M::stock_rejected(payload))
        }
        InventoryEvent::ReservationExpired(payload) => {
            Record::of(event, "mart.reservation.v1", key, &M::reservation_expired(payload))
        }
        InventoryEvent::ReservationReleased(payload) => {
            Record::of(event, "mart.reservation.v1", key, &M::reservation_released(payload))
        }
        InventoryEvent::ReservationCommitted(payload) => {
            Record::of(event, "mart.reservation.v1", key, &M::reservation_committed(payload))
        }
        InventoryEvent::ReservationReturned(payload) => {
            Record::of(event, "mart.reservation.v1", key, &M::reservation_returned(payload))
        }
        InventoryEvent::StockItemRepublished(payload) => {
            Record::of(event, "mart.stock_item.v1", key, &M::stock_item_republished(payload))
        }
    }
}

/// The names of the handlers, which are the scopes of their receipts.
pub mod handler {
    /// Handles ProductCreated.
    pub const PRODUCT_CREATED: &str = "inventory.product-created";
    /// Handles ProductArchived.
    pub const PRODUCT_ARCHIVED: &str = "inventory.product-archived";
    /// Handles ProductRepublished.
    pub const PRODUCT_REPUBLISHED: &str = "inventory.product-republished";
    /// Handles OrderPlaced.
    pub const ORDER_PLACED: &str = "inventory.order-placed";
    /// Handles OrderReinstated.
    pub const ORDER_REINSTATED: &str = "inventory.order-reinstated";
    /// Handles OrderConfirmed.
    pub const ORDER_CONFIRMED: &str = "inventory.order-confirmed";
    /// Handles OrderCancelled.
    pub const ORDER_CANCELLED: &str = "inventory.order-cancelled";
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
        event_type: "mart.product.v1.ProductArchived",
        handler: handler::PRODUCT_ARCHIVED,
    },
    Subscription {
        topic: "mart.product.v1",
        event_type: "mart.product.v1.ProductRepublished",
        handler: handler::PRODUCT_REPUBLISHED,
    },
    Subscription { topic: "mart.order.v1", event_type: "mart.order.v1.OrderPlaced", handler: handler::ORDER_PLACED },
    Subscription {
        topic: "mart.order.v1",
        event_type: "mart.order.v1.OrderReinstated",
        handler: handler::ORDER_REINSTATED,
    },
    Subscription {
        topic: "mart.order.v1",
        event_type: "mart.order.v1.OrderConfirmed",
        handler: handler::ORDER_CONFIRMED,
    },
    Subscription {
        topic: "mart.order.v1",
        event_type: "mart.order.v1.OrderCancelled",
        handler: handler::ORDER_CANCELLED,
    },
];

/// The handlers of events of other services.
pub trait EventHandlers: Send + Sync + 'static {
    /// A product was created, as a draft or on sale.
    fn on_product_created(
        &self,
        event: ReceivedEvent<product::ProductCreated>,
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

    /// A customer placed an order; it awaits the reservation of its stock.
    fn on_order_placed(
        &self,
        event: ReceivedEvent<order::OrderPlaced>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// A payment arrived for an order that had been cancelled because its deadline passed: it awaits its stock again,
    /// paid.
    fn on_order_reinstated(
        &self,
        event: ReceivedEvent<order::OrderReinstated>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// An order is paid and its stock is reserved.
    fn on_order_confirmed(
        &self,
        event: ReceivedEvent<order::OrderConfirmed>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;

    /// An order was cancelled, for its cancel reason.
    fn on_order_cancelled(
        &self,
        event: ReceivedEvent<order::OrderCancelled>,
    ) -> impl Future<Output = Result<Outcome, DispatchError>> + Send;
}

/// Calls the handler with this name.
async fn dispatch<R: EventHandlers>(handlers: &R, handler: &str, record: &Record) -> Result<Outcome, DispatchError> {
    match handler {
        handler::PRODUCT_CREATED => {
            handlers.on_product_created(ReceivedEvent::decode(handler::PRODUCT_CREATED, record)?).await
        }
        handler::PRODUCT_ARCHIVED => {
            handlers.on_product_archived(ReceivedEvent::decode(handler::PRODUCT_ARCHIVED, record)?).await
        }
        handler::PRODUCT_REPUBLISHED => {
            handlers.on_product_republished(ReceivedEvent::decode(handler::PRODUCT_REPUBLISHED, record)?).await
        }
        handler::ORDER_PLACED => handlers.on_order_placed(ReceivedEvent::decode(handler::ORDER_PLACED, record)?).await,
        handler::ORDER_REINSTATED => {
            handlers.on_order_reinstated(ReceivedEvent::decode(handler::ORDER_REINSTATED, record)?).await
        }
        handler::ORDER_CONFIRMED => {
            handlers.on_order_confirmed(ReceivedEvent::decode(handler::ORDER_CONFIRMED, record)?).await
        }
        handler::ORDER_CANCELLED => {
            handlers.on_order_cancelled(ReceivedEvent::decode(handler::ORDER_CANCELLED, record)?).await
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
