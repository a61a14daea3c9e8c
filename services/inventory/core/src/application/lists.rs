//! Lists stock items and ledger entries.

use std::convert::Infallible;

use mart_kernel::page::InvalidPageToken;
use mart_kernel::{Fingerprint, Page, PageSize, StoreError};

use super::{ProductId, Scope, Store, UseCases};
use crate::domain::{LedgerEntry, StockItem};

/// The errors of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListError {
    /// The token is invalid for this list.
    Token,
    /// The store failed.
    Unavailable(StoreError),
}

impl From<InvalidPageToken> for ListError {
    fn from(_: InvalidPageToken) -> Self {
        Self::Token
    }
}

impl From<StoreError> for ListError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

/// The result of republishing a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Republished {
    /// The number of stock items.
    pub count: usize,
    /// The token of the next page; `None` after the last one.
    pub next: Option<String>,
}

impl<S: Store> UseCases<S> {
    /// Publishes StockItemRepublished for a page of stock items, each under its lock.
    pub async fn republish_stock_items(&self, size: PageSize, token: &str) -> Result<Republished, ListError> {
        let page = self.list_stock_items(false, size, token).await?;
        let scope = Scope { order: None, products: page.items.iter().map(|item| item.id).collect() };
        let count = page.items.len();
        if count > 0 {
            let step = |decider: &mut crate::domain::StockDecider<'_>| {
                decider.republish();
                Ok::<(), Infallible>(())
            };
            self.decide(scope, None, step).await?;
        }
        Ok(Republished { count, next: page.next })
    }

    /// Returns a page of stock items, newest first.
    pub async fn list_stock_items(&self, low: bool, size: PageSize, token: &str) -> Result<Page<StockItem>, ListError> {
        let list = Fingerprint::new("stock-items").part(&[u8::from(low)]).finish();
        let after = self.page_tokens.cursor(list, token)?;
        let found = self.store.list_items(low, after, size.get() + 1).await?;
        Ok(Page::cut(found, size, |last| self.page_tokens.sign(list, &last.cursor().encode())))
    }

    /// Returns a page of a product's ledger, newest first.
    pub async fn list_ledger_entries(
        &self,
        product: ProductId,
        size: PageSize,
        token: &str,
    ) -> Result<Page<LedgerEntry>, ListError> {
        let list = Fingerprint::new("ledger-entries").part(product.0.as_bytes()).finish();
        let after = self.page_tokens.cursor(list, token)?;
        let found = self.store.list_entries(product, after, size.get() + 1).await?;
        Ok(Page::cut(found, size, |last| self.page_tokens.sign(list, &last.cursor().encode())))
    }
}
