//! Handles the events of products, which say that a product exists and whether it is archived.

use std::convert::Infallible;

use mart_kernel::{EventOutcome, Receipt, StoreError, Version};

use super::UseCases;
use crate::domain::{ProductId, StockDecider};
use crate::ports::{Scope, Store};

impl<S: Store> UseCases<S> {
    /// Creates the stock item of a product if it has none, and applies the product's state at its version.
    pub async fn on_product(
        &self,
        product: ProductId,
        version: Version,
        archived: bool,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        let step = move |decider: &mut StockDecider<'_>| {
            decider.upsert_product(product, version, archived);
            Ok::<(), Infallible>(())
        };
        self.decide(Scope::product(product), Some(receipt), step).await?;
        Ok(EventOutcome::Applied)
    }
}
