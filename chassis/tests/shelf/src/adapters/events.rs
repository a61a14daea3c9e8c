//! Reactions to the product service's events.

use mart_chassis::consumer::{DispatchError, Reaction};
use mart_chassis::record::Incoming;
use mart_kernel::CommitError;
use mart_proto::product::v1 as product;

use crate::core::{Decision, Item, Items, decide};
use crate::generated::events::Reactions;

/// Keeps the shelf up to date.
#[derive(Debug)]
pub struct ShelfReactions<I> {
    items: I,
}

impl<I: Items> ShelfReactions<I> {
    /// Keeps items in this store.
    pub fn new(items: I) -> Self {
        Self { items }
    }

    async fn tell<M>(&self, event: &Incoming<M>, product: Option<product::Product>) -> Result<Reaction, DispatchError> {
        let product::Product { product_id, name, .. } = product.unwrap_or_default();
        // A name that tests give to a product that breaks its handler.
        assert!(!name.starts_with("poison"), "the handler can't bear this product");
        let known = self.items.find(&product_id).await?;
        let item = match decide(known.as_ref(), Item { product_id, version: event.version, name }) {
            Decision::Keep(item) => item,
            Decision::Old => return Ok(Reaction::Ignored("told before")),
            Decision::Early => return Ok(Reaction::Wait("the event before it has not been seen".to_owned())),
        };
        match self.items.keep(item, event.receipt()).await {
            Ok(_) => Ok(Reaction::Applied),
            Err(CommitError::Conflict | CommitError::Taken(())) => Ok(Reaction::Wait("changed meanwhile".to_owned())),
            Err(CommitError::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }
}

impl<I: Items + 'static> Reactions for ShelfReactions<I> {
    async fn on_product_created(&self, event: Incoming<product::ProductCreated>) -> Result<Reaction, DispatchError> {
        self.tell(&event, event.fact.product.clone()).await
    }

    async fn on_product_updated(&self, event: Incoming<product::ProductUpdated>) -> Result<Reaction, DispatchError> {
        self.tell(&event, event.fact.product.clone()).await
    }
}
