//! EventHandlers to the product service's events.

use mart_chassis::consumer::{DispatchError, Outcome};
use mart_chassis::record::ReceivedEvent;
use mart_kernel::CommitError;
use mart_proto::product::v1 as product;

use crate::core::{Decision, Item, Items, decide};
use crate::generated::events::EventHandlers;

/// Keeps the shelf up to date.
#[derive(Debug)]
pub struct ShelfEventHandlers<I> {
    items: I,
}

impl<I: Items> ShelfEventHandlers<I> {
    /// Keeps items in this store.
    pub fn new(items: I) -> Self {
        Self { items }
    }

    async fn tell<M>(
        &self,
        event: &ReceivedEvent<M>,
        product: Option<product::Product>,
    ) -> Result<Outcome, DispatchError> {
        let product::Product { product_id, name, .. } = product.unwrap_or_default();
        // A name that tests give to a product that breaks its handler.
        assert!(!name.starts_with("poison"), "the handler can't bear this product");
        let known = self.items.find(&product_id).await?;
        let item = match decide(known.as_ref(), Item { product_id, version: event.version, name }) {
            Decision::Keep(item) => item,
            Decision::Old => return Ok(Outcome::Ignored("told before")),
            Decision::Early => return Ok(Outcome::Retry("the event before it has not been seen".to_owned())),
        };
        match self.items.keep(item, event.receipt()).await {
            Ok(_) => Ok(Outcome::Applied),
            Err(CommitError::Conflict | CommitError::Duplicate(())) => {
                Ok(Outcome::Retry("changed meanwhile".to_owned()))
            }
            Err(CommitError::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }
}

impl<I: Items + 'static> EventHandlers for ShelfEventHandlers<I> {
    async fn on_product_created(
        &self,
        event: ReceivedEvent<product::ProductCreated>,
    ) -> Result<Outcome, DispatchError> {
        self.tell(&event, event.payload.product.clone()).await
    }

    async fn on_product_updated(
        &self,
        event: ReceivedEvent<product::ProductUpdated>,
    ) -> Result<Outcome, DispatchError> {
        self.tell(&event, event.payload.product.clone()).await
    }
}
