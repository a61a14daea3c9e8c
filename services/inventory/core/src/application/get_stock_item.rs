//! Returns a stock item.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{ProductId, StockItem};
use crate::ports::Store;

impl<S: Store> UseCases<S> {
    /// Returns the stock item of a product.
    pub async fn get_stock_item(&self, product: ProductId) -> Result<Option<StockItem>, StoreError> {
        Ok(self.store.find_stock_items(&[product]).await?.pop())
    }
}
