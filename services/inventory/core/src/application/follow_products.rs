//! What the product service tells: which products there are, and which of them are archived.

use std::convert::Infallible;

use mart_kernel::{Receipt, StoreError, Version};

use super::{ProductId, Scope, Store, UseCases};

impl<S: Store> UseCases<S> {
    /// A product is as it is at this version. It gets a stock item where it has none.
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
