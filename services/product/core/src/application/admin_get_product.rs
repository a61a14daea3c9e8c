//! Reads a product in any status.

use mart_kernel::StoreError;

use super::{Product, ProductId, Store, UseCases};

impl<S: Store> UseCases<S> {
    /// Returns the product with this id in any status.
    pub async fn admin_get_product(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        self.store.find(id).await
    }
}
