//! Reads a product on sale by its slug.

use mart_kernel::StoreError;

use super::{Product, Store, UseCases, search};

impl<S: Store> UseCases<S> {
    /// Returns the product with this slug, ignoring case, if it is on sale.
    pub async fn get_product_by_slug(&self, slug: &str) -> Result<Option<Product>, StoreError> {
        Ok(self.store.find_by_slug(&search::fold(slug)).await?.filter(Product::is_on_sale))
    }
}
