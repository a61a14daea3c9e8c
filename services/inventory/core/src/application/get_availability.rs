//! Returns how many units of products can be reserved.

use std::collections::HashMap;

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::ProductId;
use crate::ports::Store;

impl<S: Store> UseCases<S> {
    /// Returns the reservable units of each product, in the order of `products`. An unknown product has none.
    pub async fn get_availability(&self, products: &[ProductId]) -> Result<Vec<(ProductId, i32)>, StoreError> {
        let items = self.store.find_stock_items(products).await?;
        let known: HashMap<ProductId, i32> = items.iter().map(|item| (item.id, item.reservable())).collect();
        Ok(products.iter().map(|id| (*id, known.get(id).copied().unwrap_or_default())).collect())
    }
}
