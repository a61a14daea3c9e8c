//! Reads one product: customers read active ones, admins read all.

use mart_kernel::StoreError;

use super::{Product, ProductId, Status, Store, UseCases, search};

impl<S: Store> UseCases<S> {
    /// Returns the active product with this id.
    pub async fn get_product(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        Ok(self.store.by_id(id).await?.filter(on_sale))
    }

    /// Returns the active product with this slug, ignoring case.
    pub async fn get_product_by_slug(&self, slug: &str) -> Result<Option<Product>, StoreError> {
        Ok(self.store.by_slug(&search::fold(slug)).await?.filter(on_sale))
    }

    /// Returns the product with this id in any status.
    pub async fn admin_get_product(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        self.store.by_id(id).await
    }
}

fn on_sale(product: &Product) -> bool {
    product.status == Status::Active
}
