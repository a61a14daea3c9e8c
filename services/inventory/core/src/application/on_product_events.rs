//! Handles the events of product: which products exist and which are archived.

use std::convert::Infallible;

use mart_kernel::{Receipt, StoreError, Version};

use super::{ProductId, Scope, Store, UseCases};

impl<S: Store> UseCases<S> {
    /// Creates the stock item of a product if it has none, and applies the product's state at its version.
    pub async fn upsert_product(
        &self,
        product: ProductId,
        version: Version,
        archived: bool,
        receipt: Receipt,
    ) -> Result<(), StoreError> {
        let step = move |decider: &mut crate::domain::StockDecider<'_>| {
            decider.upsert_product(product, version, archived);
            Ok::<(), Infallible>(())
        };
        self.decide(Scope::product(product), Some(receipt), step).await.map(drop)
    }
}
