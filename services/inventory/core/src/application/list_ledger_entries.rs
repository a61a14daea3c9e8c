//! Lists the ledger entries of a product page by page.

use mart_kernel::{Fingerprint, ListError, Page, PageSize};

use super::UseCases;
use crate::domain::{LedgerEntry, ProductId};
use crate::ports::Store;

impl<S: Store> UseCases<S> {
    /// Returns a page of a product's ledger, newest first.
    pub async fn list_ledger_entries(
        &self,
        product: ProductId,
        size: PageSize,
        token: &str,
    ) -> Result<Page<LedgerEntry>, ListError> {
        let list = Fingerprint::new("ledger-entries").part(product.0.as_bytes()).finish();
        let find = |after, limit| self.store.list_ledger_entries(product, after, limit);
        self.page_tokens.page(list, size, token, find, LedgerEntry::cursor).await
    }
}
