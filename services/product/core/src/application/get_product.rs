//! Reads a product on sale.

use mart_kernel::StoreError;

use super::{Product, ProductId, Store, UseCases};

impl<S: Store> UseCases<S> {
    /// Returns the product with this id if it is on sale.
    pub async fn get_product(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        Ok(self.store.find(id).await?.filter(Product::is_on_sale))
    }
}
