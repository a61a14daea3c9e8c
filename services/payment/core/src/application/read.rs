//! Reads payments and publishes them again.

use mart_kernel::page::InvalidPageToken;
use mart_kernel::{Fingerprint, Page, PageSize, StoreError};

use super::UseCases;
use crate::domain::{Account, OrderId, PaymentDecider};
use crate::ports::Store;

/// The errors of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// The number of payments.
    pub count: usize,
    /// The token of the next page; `None` after the last one.
    pub next: Option<String>,
}

impl<S: Store> UseCases<S> {
    /// Returns the payment of an order.
    pub async fn get_payment(&self, order: OrderId) -> Result<Option<Account>, StoreError> {
        self.store.find(order).await
    }

    /// Returns a page of payments, newest first.
    pub async fn list_payments(
        &self,
        needs_review: bool,
        size: PageSize,
        token: &str,
    ) -> Result<Page<Account>, ListError> {
        let list = Fingerprint::new("payments").part(&[u8::from(needs_review)]).finish();
        let after = self.page_tokens.cursor(list, token)?;
        let found = self.store.list(needs_review, after, size.get() + 1).await?;
        Ok(Page::cut(found, size, |last| self.page_tokens.sign(list, &last.cursor().encode())))
    }

    /// Publishes PaymentRepublished for a page of payments, each under its lock.
    pub async fn republish_payments(&self, size: PageSize, token: &str) -> Result<Republished, ListError> {
        let page = self.list_payments(false, size, token).await?;
        let count = page.items.len();
        for account in page.items {
            self.settle(account.order, PaymentDecider::republish).await?;
        }
        Ok(Republished { count, next: page.next })
    }
}
