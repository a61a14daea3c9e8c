//! Publishes payments again, so that read models can be rebuilt.

use mart_kernel::{ListError, PageSize, Republished};

use super::UseCases;
use crate::domain::PaymentDecider;
use crate::ports::Store;

impl<S: Store> UseCases<S> {
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
