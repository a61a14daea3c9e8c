//! What the product service tells: the read model that orders are priced by.

use mart_kernel::{Receipt, StoreError};

use super::{EventOutcome, Store, UseCases, Write};
use crate::domain::CatalogProduct;

impl<S: Store> UseCases<S> {
    /// A product is as it is at its version; an older one changes nothing.
    pub async fn upsert_product(&self, product: CatalogProduct, receipt: Receipt) -> Result<EventOutcome, StoreError> {
        self.commit_write(Write::Product(product), receipt).await
    }
}
