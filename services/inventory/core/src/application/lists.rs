//! Listing stock and its ledger, page by page.

use mart_kernel::page::InvalidToken;
use mart_kernel::{Fingerprint, Page, PageSize, Unavailable};

use super::{ProductId, Store, UseCases};
use crate::domain::{LedgerEntry, StockItem};

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListError {
    /// The token is not of this list.
    Token,
    /// The store can't be reached.
    Unavailable(Unavailable),
}

impl From<InvalidToken> for ListError {
    fn from(_: InvalidToken) -> Self {
        Self::Token
    }
}

impl From<Unavailable> for ListError {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error)
    }
}

impl<S: Store> UseCases<S> {
    /// A page of stock items, newest first.
    pub async fn list_stock_items(&self, low: bool, size: PageSize, token: &str) -> Result<Page<StockItem>, ListError> {
        let list = Fingerprint::new("stock-items").part(&[u8::from(low)]).finish();
        let after = self.seal.newest(list, token)?;
        let found = self.store.list_items(low, after, size.get() + 1).await?;
        Ok(Page::cut(found, size, |last| self.seal.seal(list, &last.place().encode())))
    }

    /// A page of a product's ledger, newest first.
    pub async fn list_ledger_entries(
        &self,
        product: ProductId,
        size: PageSize,
        token: &str,
    ) -> Result<Page<LedgerEntry>, ListError> {
        let list = Fingerprint::new("ledger-entries").part(product.0.as_bytes()).finish();
        let after = self.seal.newest(list, token)?;
        let found = self.store.list_entries(product, after, size.get() + 1).await?;
        Ok(Page::cut(found, size, |last| self.seal.seal(list, &last.place().encode())))
    }
}
