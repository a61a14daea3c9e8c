//! Lists products in any status.

use mart_kernel::Page;

use super::{ListProducts, ListProductsError, Product, Store, UseCases};

impl<S: Store> UseCases<S> {
    /// Returns a page of products in the requested status, or in any.
    pub async fn admin_list_products(&self, request: ListProducts) -> Result<Page<Product>, ListProductsError> {
        self.list(request).await
    }
}
