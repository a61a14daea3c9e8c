// Rendered by `cargo martgen generate` from chassis/tests/shelf/proto/mart/shelf/v1; changes are made there.

//! The events of the shelf service: those it publishes and those of others that it reacts to.

use std::future::Future;
use std::sync::Arc;

use crate::core::domain::Fact;
use mart_chassis::Record;
use mart_chassis::consumer::{self, Consumed, DispatchError, Reaction};
use mart_chassis::record::Incoming;
use mart_chassis::run::Topic;
use mart_kernel::Event;
use mart_proto::product::v1 as product;

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
    Consumed { topic: "mart.product.v1", kind: "mart.product.v1.ProductCreated", handler: "shelf.product-created" },
    Consumed { topic: "mart.product.v1", kind: "mart.product.v1.ProductUpdated", handler: "shelf.product-updated" },
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
}

/// Tells a record to the reaction of this name.
async fn dispatch<R: Reactions>(reactions: &R, handler: &str, record: &Record) -> Result<Reaction, DispatchError> {
    match handler {
        "shelf.product-created" => reactions.on_product_created(Incoming::read("shelf.product-created", record)?).await,
        "shelf.product-updated" => reactions.on_product_updated(Incoming::read("shelf.product-updated", record)?).await,
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
