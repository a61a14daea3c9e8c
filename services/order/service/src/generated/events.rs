// Rendered by `cargo martgen generate` from proto/mart/order/v1; changes are made there.

//! The events of the order service: those it publishes and those of others that it reacts to.

use std::future::Future;
use std::sync::Arc;

use mart_chassis::Record;
use mart_chassis::consumer::{self, Consumed, DispatchError, Reaction};
use mart_chassis::record::Incoming;
use mart_chassis::run::Topic;
use mart_kernel::Event;
use mart_proto::inventory::v1 as inventory;
use mart_proto::order::v1;
use mart_proto::payment::v1 as payment;
use mart_proto::product::v1 as product;
use order_core::domain::{Fact, fact};

/// The topics that this service owns.
pub const TOPICS: &[Topic] = &[Topic { name: "mart.order.v1", retention_minutes: 43200 }];

/// Makes the contract's message of each fact of the core.
pub trait Messages {
    /// A customer placed an order; it waits for stock.
    fn order_placed(fact: &fact::OrderPlaced) -> v1::OrderPlaced;

    /// Address or contact of an order were changed.
    fn order_changed(fact: &fact::OrderChanged) -> v1::OrderChanged;

    /// The stock of an order is reserved; it waits for money until its payment deadline.
    fn order_awaiting_payment(fact: &fact::OrderAwaitingPayment) -> v1::OrderAwaitingPayment;

    /// An order is paid and its stock is reserved.
    fn order_confirmed(fact: &fact::OrderConfirmed) -> v1::OrderConfirmed;

    /// An order was cancelled; its cancel reason says why.
    fn order_cancelled(fact: &fact::OrderCancelled) -> v1::OrderCancelled;

    /// Money came for an order that had run out of time: it waits for stock once more, paid.
    fn order_reinstated(fact: &fact::OrderReinstated) -> v1::OrderReinstated;

    /// An order is on its way.
    fn order_shipped(fact: &fact::OrderShipped) -> v1::OrderShipped;

    /// An order has arrived.
    fn order_delivered(fact: &fact::OrderDelivered) -> v1::OrderDelivered;

    /// Money of an order has to go back to the customer.
    fn refund_requested(fact: &fact::RefundRequested) -> v1::RefundRequested;

    /// Nothing happened: the owner tells the current state again, under the current version, so that a read model can be
    /// rebuilt. Take it where its version is not older than the one you have.
    fn order_republished(fact: &fact::OrderRepublished) -> v1::OrderRepublished;
}

/// Makes the record of an event: its topic, its encoded message, and as its key the id of what it happened to.
pub fn record<M: Messages>(event: &Event<Fact>) -> Record {
    let key = event.fact.key().to_string();
    match &event.fact {
        Fact::OrderPlaced(fact) => Record::of(event, "mart.order.v1", key, &M::order_placed(fact)),
        Fact::OrderChanged(fact) => Record::of(event, "mart.order.v1", key, &M::order_changed(fact)),
        Fact::OrderAwaitingPayment(fact) => Record::of(event, "mart.order.v1", key, &M::order_awaiting_payment(fact)),
        Fact::OrderConfirmed(fact) => Record::of(event, "mart.order.v1", key, &M::order_confirmed(fact)),
        Fact::OrderCancelled(fact) => Record::of(event, "mart.order.v1", key, &M::order_cancelled(fact)),
        Fact::OrderReinstated(fact) => Record::of(event, "mart.order.v1", key, &M::order_reinstated(fact)),
        Fact::OrderShipped(fact) => Record::of(event, "mart.order.v1", key, &M::order_shipped(fact)),
        Fact::OrderDelivered(fact) => Record::of(event, "mart.order.v1", key, &M::order_delivered(fact)),
        Fact::RefundRequested(fact) => Record::of(event, "mart.order.v1", key, &M::refund_requested(fact)),
        Fact::OrderRepublished(fact) => Record::of(event, "mart.order.v1", key, &M::order_republished(fact)),
    }
}

/// The events of others that this service reacts to.
pub const CONSUMED: &[Consumed] = &[
    Consumed { topic: "mart.product.v1", kind: "mart.product.v1.ProductCreated", handler: "order.product-created" },
    Consumed { topic: "mart.product.v1", kind: "mart.product.v1.ProductUpdated", handler: "order.product-updated" },
    Consumed {
        topic: "mart.product.v1",
        kind: "mart.product.v1.ProductPriceChanged",
        handler: "order.product-price-changed",
    },
    Consumed { topic: "mart.product.v1", kind: "mart.product.v1.ProductActivated", handler: "order.product-activated" },
    Consumed { topic: "mart.product.v1", kind: "mart.product.v1.ProductArchived", handler: "order.product-archived" },
    Consumed {
        topic: "mart.product.v1",
        kind: "mart.product.v1.ProductRepublished",
        handler: "order.product-republished",
    },
    Consumed { topic: "mart.reservation.v1", kind: "mart.inventory.v1.StockReserved", handler: "order.stock-reserved" },
    Consumed { topic: "mart.reservation.v1", kind: "mart.inventory.v1.StockRejected", handler: "order.stock-rejected" },
    Consumed {
        topic: "mart.reservation.v1",
        kind: "mart.inventory.v1.ReservationExpired",
        handler: "order.reservation-expired",
    },
    Consumed { topic: "mart.payment.v1", kind: "mart.payment.v1.PaymentCaptured", handler: "order.payment-captured" },
    Consumed { topic: "mart.payment.v1", kind: "mart.payment.v1.PaymentFailed", handler: "order.payment-failed" },
    Consumed { topic: "mart.payment.v1", kind: "mart.payment.v1.PaymentRefunded", handler: "order.payment-refunded" },
];

/// The reactions to events of others.
pub trait Reactions: Send + Sync + 'static {
    /// A product was created, as a draft or on sale at once.
    fn on_product_created(
        &self,
        event: Incoming<product::ProductCreated>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// Something other than the prices was changed.
    fn on_product_updated(
        &self,
        event: Incoming<product::ProductUpdated>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// Prices were changed, added or taken away.
    fn on_product_price_changed(
        &self,
        event: Incoming<product::ProductPriceChanged>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// A draft went on sale.
    fn on_product_activated(
        &self,
        event: Incoming<product::ProductActivated>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// A product was taken off sale for good.
    fn on_product_archived(
        &self,
        event: Incoming<product::ProductArchived>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// Nothing happened: the owner tells the current state again, under the current version, so that a read model can be
    /// rebuilt. Take it where its version is not older than the one you have.
    fn on_product_republished(
        &self,
        event: Incoming<product::ProductRepublished>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// All lines of an order are promised to it.
    fn on_stock_reserved(
        &self,
        event: Incoming<inventory::StockReserved>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// Nothing is promised to an order, because some of its lines lack.
    fn on_stock_rejected(
        &self,
        event: Incoming<inventory::StockRejected>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// A reservation was not used in time; its units can be promised again.
    fn on_reservation_expired(
        &self,
        event: Incoming<inventory::ReservationExpired>,
    ) -> impl Future<Output = Result<Reaction, DispatchError>> + Send;

    /// Money for an order has come in.
    fn on_payment_captured(
        &self,
        event: Incoming<payment::PaymentCaptured>,
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
        "order.product-created" => reactions.on_product_created(Incoming::read("order.product-created", record)?).await,
        "order.product-updated" => reactions.on_product_updated(Incoming::read("order.product-updated", record)?).await,
        "order.product-price-changed" => {
            reactions.on_product_price_changed(Incoming::read("order.product-price-changed", record)?).await
        }
        "order.product-activated" => {
            reactions.on_product_activated(Incoming::read("order.product-activated", record)?).await
        }
        "order.product-archived" => {
            reactions.on_product_archived(Incoming::read("order.product-archived", record)?).await
        }
        "order.product-republished" => {
            reactions.on_product_republished(Incoming::read("order.product-republished", record)?).await
        }
        "order.stock-reserved" => reactions.on_stock_reserved(Incoming::read("order.stock-reserved", record)?).await,
        "order.stock-rejected" => reactions.on_stock_rejected(Incoming::read("order.stock-rejected", record)?).await,
        "order.reservation-expired" => {
            reactions.on_reservation_expired(Incoming::read("order.reservation-expired", record)?).await
        }
        "order.payment-captured" => {
            reactions.on_payment_captured(Incoming::read("order.payment-captured", record)?).await
        }
        "order.payment-failed" => reactions.on_payment_failed(Incoming::read("order.payment-failed", record)?).await,
        "order.payment-refunded" => {
            reactions.on_payment_refunded(Incoming::read("order.payment-refunded", record)?).await
        }
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
