// Rendered by `cargo martgen generate` from proto/mart/product/v1; changes are made there.

//! The events of the product service: those it publishes and those of others that it reacts to.

use std::sync::Arc;

use mart_chassis::Record;
use mart_chassis::consumer::{self, Subscription, DispatchError, Outcome};
use mart_chassis::run::Topic;
use mart_kernel::EventEnvelope;
use mart_proto::product::v1;
use product_core::domain::{Fact, fact};

/// The topics that this service owns.
pub const TOPICS: &[Topic] = &[Topic { name: "mart.product.v1", retention_minutes: 43200 }];

/// Makes the contract's message of each fact of the core.
pub trait Messages {
    /// A product was created, as a draft or on sale at once.
    fn product_created(fact: &fact::ProductCreated) -> v1::ProductCreated;

    /// Something other than the prices was changed.
    fn product_updated(fact: &fact::ProductUpdated) -> v1::ProductUpdated;

    /// Prices were changed, added or taken away.
    fn product_price_changed(fact: &fact::ProductPriceChanged) -> v1::ProductPriceChanged;

    /// A draft went on sale.
    fn product_activated(fact: &fact::ProductActivated) -> v1::ProductActivated;

    /// A product was taken off sale for good.
    fn product_archived(fact: &fact::ProductArchived) -> v1::ProductArchived;

    /// Nothing happened: the owner tells the current state again, under the current version, so that a read model can be
    /// rebuilt. Take it where its version is not older than the one you have.
    fn product_republished(fact: &fact::ProductRepublished) -> v1::ProductRepublished;
}

/// Makes the record of an event: its topic, its encoded message, and as its key the id of what it happened to.
pub fn record<M: Messages>(event: &EventEnvelope<Fact>) -> Record {
    let key = event.payload.key().to_string();
    match &event.payload {
        Fact::ProductCreated(fact) => Record::of(event, "mart.product.v1", key, &M::product_created(fact)),
        Fact::ProductUpdated(fact) => Record::of(event, "mart.product.v1", key, &M::product_updated(fact)),
        Fact::ProductPriceChanged(fact) => Record::of(event, "mart.product.v1", key, &M::product_price_changed(fact)),
        Fact::ProductActivated(fact) => Record::of(event, "mart.product.v1", key, &M::product_activated(fact)),
        Fact::ProductArchived(fact) => Record::of(event, "mart.product.v1", key, &M::product_archived(fact)),
        Fact::ProductRepublished(fact) => Record::of(event, "mart.product.v1", key, &M::product_republished(fact)),
    }
}

/// The events of others that this service reacts to.
pub const CONSUMED: &[Subscription] = &[];

/// The handlers to events of others.
pub trait EventHandlers: Send + Sync + 'static {}

/// Tells a record to the handler of this name.
#[expect(clippy::unused_async, reason = "this service consumes nothing")]
async fn dispatch<R: EventHandlers>(_reactions: &R, _handler: &str, _record: &Record) -> Result<Outcome, DispatchError> {
    Err(DispatchError::NoHandler)
}

/// These handlers, for the consumer.
pub fn handlers<R: EventHandlers>(handlers: R) -> consumer::EventHandlers {
    let handlers = Arc::new(handlers);
    consumer::EventHandlers::new(CONSUMED, move |handler, record| {
        let handlers = handlers.clone();
        async move { dispatch(&*handlers, &handler, &record).await }
    })
}
