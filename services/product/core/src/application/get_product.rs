//! Reading one product: the public sees what is on sale, an admin sees all.

use mart_kernel::StoreError;

use super::{Product, ProductId, Status, Store, UseCases, search};

impl<P: Store> UseCases<P> {
    /// The product on sale with this id.
    pub async fn get_product(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        Ok(self.products.by_id(id).await?.filter(on_sale))
    }

    /// The product on sale with this slug, in any case.
    pub async fn get_product_by_slug(&self, slug: &str) -> Result<Option<Product>, StoreError> {
        Ok(self.products.by_slug(&search::fold(slug)).await?.filter(on_sale))
    }

    /// The product with this id in any status.
    pub async fn admin_get_product(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        self.products.by_id(id).await
    }
}

fn on_sale(product: &Product) -> bool {
    product.status == Status::Active
}
