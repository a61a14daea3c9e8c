// Rendered by `cargo martgen generate` from proto/mart/product/v1; changes are made there.

//! The events of the product service: those that it publishes and those that it subscribes to.

use std::sync::Arc;

use mart_chassis::Record;
use mart_chassis::consumer::{self, DispatchError, Outcome, Subscription};
use mart_chassis::record::Topic;
use mart_kernel::EventEnvelope;
use mart_proto::product::v1;
use product_core::domain::{ProductEvent, events};

/// The topics that this service owns.
pub const TOPICS: &[Topic] = &[Topic { name: "mart.product.v1", retention_minutes: 43200 }];

/// Converts each event of the core to the contract's message.
pub trait Messages {
    /// A product was created, as a draft or on sale.
    fn product_created(event: &events::ProductCreated) -> v1::ProductCreated;

    /// Properties other than the prices changed.
    fn product_updated(event: &events::ProductUpdated) -> v1::ProductUpdated;

    /// Prices were changed, added or removed.
    fn product_price_changed(event: &events::ProductPriceChanged) -> v1::ProductPriceChanged;

    /// A draft went on sale.
    fn product_activated(event: &events::ProductActivated) -> v1::ProductActivated;

    /// A product was taken off sale for good.
    fn product_archived(event: &events::ProductArchived) -> v1::ProductArchived;

    /// Repeats the current state under its current version, so that consumers can rebuild a read model; nothing has
    /// changed. Apply it unless you hold a newer version.
    fn product_republished(event: &events::ProductRepublished) -> v1::ProductRepublished;
}

/// Returns the record of an event: its topic, its encoded message and, as its key, the id of its aggregate.
pub fn record<M: Messages>(event: &EventEnvelope<ProductEvent>) -> Record {
    let key = event.payload.key().to_string();
    match &event.payload {
        ProductEvent::ProductCreated(payload) => {
            Record::of(event, "mart.product.v1", key, &M::product_created(payload))
        }
        ProductEvent::ProductUpdated(payload) => {
            Record::of(event, "mart.product.v1", key, &M::product_updated(payload))
        }
        ProductEvent::ProductPriceChanged(payload) => {
            Record::of(event, "mart.product.v1", key, &M::product_price_changed(payload))
        }
        ProductEvent::ProductActivated(payload) => {
            Record::of(event, "mart.product.v1", key, &M::product_activated(payload))
        }
        ProductEvent::ProductArchived(payload) => {
            Record::of(event, "mart.product.v1", key, &M::product_archived(payload))
        }
        ProductEvent::ProductRepublished(payload) => {
            Record::of(event, "mart.product.v1", key, &M::product_republished(payload))
        }
    }
}

/// The subscriptions to events of other services.
pub const SUBSCRIPTIONS: &[Subscription] = &[];

/// The handlers of events of other services.
pub trait EventHandlers: Send + Sync + 'static {}

/// Calls the handler with this name.
#[expect(clippy::unused_async, reason = "this service consumes nothing")]
async fn dispatch<R: EventHandlers>(_handlers: &R, _handler: &str, _record: &Record) -> Result<Outcome, DispatchError> {
    Err(DispatchError::NoHandler)
}

/// Returns the handlers for the consumer.
pub fn handlers<R: EventHandlers>(handlers: R) -> consumer::EventHandlers {
    let handlers = Arc::new(handlers);
    consumer::EventHandlers::new(SUBSCRIPTIONS, move |handler, record| {
        let handlers = handlers.clone();
        async move { dispatch(&*handlers, &handler, &record).await }
    })
}
