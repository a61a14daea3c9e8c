//! The handlers of the product service's events.

use mart_chassis::consumer::{DispatchError, Outcome};
use mart_chassis::record::ReceivedEvent;
use mart_kernel::CommitError;
use mart_proto::product::v1 as product;

use crate::core::{Decision, Item, Items, decide};
use crate::generated::events::EventHandlers;

/// Applies the events of products to items.
#[derive(Debug)]
pub struct ShelfEventHandlers<I> {
    items: I,
}

impl<I: Items> ShelfEventHandlers<I> {
    /// Creates the handlers with a store.
    pub fn new(items: I) -> Self {
        Self { items }
    }

    async fn apply<M>(
        &self,
        event: &ReceivedEvent<M>,
        product: Option<product::Product>,
    ) -> Result<Outcome, DispatchError> {
        let product::Product { product_id, name, .. } = product.unwrap_or_default();
        // Tests use this name to make the handler panic.
        assert!(!name.starts_with("poison"), "a poisoned product");
        let known = self.items.find(&product_id).await?;
        let item = match decide(known.as_ref(), Item { product_id, version: event.version, name }) {
            Decision::Store(item) => item,
            Decision::Duplicate => return Ok(Outcome::Ignored("already applied")),
            Decision::TooEarly => return Ok(Outcome::Retry("the preceding event is missing".to_owned())),
        };
        match self.items.store(item, event.receipt()).await {
            Ok(_) => Ok(Outcome::Applied),
            Err(CommitError::Conflict | CommitError::Duplicate(())) => {
                Ok(Outcome::Retry("the item was changed concurrently".to_owned()))
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
        self.apply(&event, event.payload.product.clone()).await
    }

    async fn on_product_updated(
        &self,
        event: ReceivedEvent<product::ProductUpdated>,
    ) -> Result<Outcome, DispatchError> {
        self.apply(&event, event.payload.product.clone()).await
    }
}
