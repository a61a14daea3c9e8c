//! Handles the events of product: the read model of the catalog.

use mart_kernel::{EventOutcome, Receipt, StoreError};

use super::{Store, UseCases, Write};
use crate::domain::CatalogProduct;

impl<S: Store> UseCases<S> {
    /// Stores a product's state at its version. An older version has no effect.
    pub async fn on_product(&self, product: CatalogProduct, receipt: Receipt) -> Result<EventOutcome, StoreError> {
        self.commit_write(Write::Product(product), receipt).await
    }
}
