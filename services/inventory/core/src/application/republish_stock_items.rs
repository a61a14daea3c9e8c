//! Publishes the current stock items again, so that read models can be rebuilt.

use std::convert::Infallible;

use mart_kernel::{ListError, PageSize, Republished};

use super::UseCases;
use crate::domain::StockDecider;
use crate::ports::{Scope, Store};

impl<S: Store> UseCases<S> {
    /// Publishes StockItemRepublished for a page of stock items, each under its lock.
    pub async fn republish_stock_items(&self, size: PageSize, token: &str) -> Result<Republished, ListError> {
        let page = self.list_stock_items(false, size, token).await?;
        let scope = Scope { order: None, products: page.items.iter().map(|item| item.id).collect() };
        let count = page.items.len();
        if count > 0 {
            let step = |decider: &mut StockDecider<'_>| {
                decider.republish();
                Ok::<(), Infallible>(())
            };
            self.decide(scope, None, step).await?;
        }
        Ok(Republished { count, next: page.next })
    }
}
