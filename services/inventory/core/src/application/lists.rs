//! Listing stock and its ledger, page by page.

use std::convert::Infallible;

use mart_kernel::page::InvalidPageToken;
use mart_kernel::{Fingerprint, Page, PageSize, StoreError};

use super::{ProductId, Scope, Store, UseCases};
use crate::domain::{LedgerEntry, StockItem};

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListError {
    /// The token is not of this list.
    Token,
    /// The store can't be reached.
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

/// What was published again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Republished {
    /// How many stock items.
    pub count: usize,
    /// Leads to the rest; `None` when all are published.
    pub next: Option<String>,
}

impl<S: Store> UseCases<S> {
    /// Publishes StockItemRepublished for a page of all stock items, as they are when nobody changes them.
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

    /// A page of stock items, newest first.
    pub async fn list_stock_items(&self, low: bool, size: PageSize, token: &str) -> Result<Page<StockItem>, ListError> {
        let list = Fingerprint::new("stock-items").part(&[u8::from(low)]).finish();
        let after = self.page_tokens.cursor(list, token)?;
        let found = self.store.list_items(low, after, size.get() + 1).await?;
        Ok(Page::cut(found, size, |last| self.page_tokens.sign(list, &last.place().encode())))
    }

    /// A page of a product's ledger, newest first.
    pub async fn list_ledger_entries(
        &self,
        product: ProductId,
        size: PageSize,
        token: &str,
    ) -> Result<Page<LedgerEntry>, ListError> {
        let list = Fingerprint::new("ledger-entries").part(product.0.as_bytes()).finish();
        let after = self.page_tokens.cursor(list, token)?;
        let found = self.store.list_entries(product, after, size.get() + 1).await?;
        Ok(Page::cut(found, size, |last| self.page_tokens.sign(list, &last.place().encode())))
    }
}
