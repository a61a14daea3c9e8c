//! Lists stock items page by page.

use mart_kernel::{Fingerprint, ListError, Page, PageSize};

use super::UseCases;
use crate::domain::StockItem;
use crate::ports::Store;

impl<S: Store> UseCases<S> {
    /// Returns a page of stock items, newest first.
    pub async fn list_stock_items(&self, low: bool, size: PageSize, token: &str) -> Result<Page<StockItem>, ListError> {
        let list = Fingerprint::new("stock-items").part(&[u8::from(low)]).finish();
        let find = |after, limit| self.store.list_stock_items(low, after, limit);
        self.page_tokens.page(list, size, token, find, StockItem::cursor).await
    }
}
