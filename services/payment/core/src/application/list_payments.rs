//! Lists payments page by page.

use mart_kernel::{Fingerprint, ListError, Page, PageSize};

use super::UseCases;
use crate::domain::Account;
use crate::ports::Store;

impl<S: Store> UseCases<S> {
    /// Returns a page of payments, newest first.
    pub async fn list_payments(
        &self,
        needs_review: bool,
        size: PageSize,
        token: &str,
    ) -> Result<Page<Account>, ListError> {
        let list = Fingerprint::new("payments").part(&[u8::from(needs_review)]).finish();
        let find = |after, limit| self.store.list(needs_review, after, limit);
        self.page_tokens.page(list, size, token, find, Account::cursor).await
    }
}
