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

/// The names of the handlers, which are the scopes of their receipts.
pub mod handler {
    /// Handles ProductCreated.
    pub const PRODUCT_CREATED: &str = "shelf.product-created";
    /// Handles ProductUpdated.
    pub const PRODUCT_UPDATED: &str = "shelf.product-updated";
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
        handler::PRODUCT_CREATED => {
            handlers.on_product_created(ReceivedEvent::decode(handler::PRODUCT_CREATED, record)?).await
        }
        handler::PRODUCT_UPDATED => {
            handlers.on_product_updated(ReceivedEvent::decode(handler::PRODUCT_UPDATED, record)?).await
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
