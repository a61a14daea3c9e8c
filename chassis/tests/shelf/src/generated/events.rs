// Rendered by `cargo martgen generate` from chassis/tests/shelf/proto/mart/shelf/v1; changes are made there.

//! The events of the shelf service: those that it publishes and those that it subscribes to.

use std::future::Future;
use std::sync::Arc;

use crate::core::domain::ShelfEvent;
use mart_chassis::Record;
use mart_chassis::consumer::{self, DispatchError, Outcome, Subscription};
use mart_chassis::record::{ReceivedEvent, Topic};
use mart_kernel::EventEnvelope;
use mart_proto::product::v1 as product;

/// The topics that this service owns.
pub const TOPICS: &[Topic] = &[];

/// Converts each event of the core to the contract's message.
pub trait Messages {}

/// Returns the record of an event: its topic, its encoded message and, as its key, the id of its aggregate.
pub fn record<M: Messages>(event: &EventEnvelope<ShelfEvent>) -> Record {
    match event.payload {}
}

/// The subscriptions to events of other services.
pub const SUBSCRIPTIONS: &[Subscription] = &[
    Subscription {
        topic: "mart.product.v1",
        event_type: "mart.product.v1.ProductCreated",
        handler: "shelf.product-created",
    },
    Subscription {
        topic: "mart.product.v1",
        event_type: "mart.product.v1.ProductUpdated",
        handler: "shelf.product-updated",
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
}

/// Calls the handler with this name.
async fn dispatch<R: EventHandlers>(handlers: &R, handler: &str, record: &Record) -> Result<Outcome, DispatchError> {
    match handler {
        "shelf.product-created" => {
            handlers.on_product_created(ReceivedEvent::decode("shelf.product-created", record)?).await
        }
        "shelf.product-updated" => {
            handlers.on_product_updated(ReceivedEvent::decode("shelf.product-updated", record)?).await
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
