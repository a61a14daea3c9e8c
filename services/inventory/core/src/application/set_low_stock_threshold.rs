//! Sets the threshold at which the stock of a product is low.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{ProductId, StockChangeError, StockDecider, StockItem};
use crate::ports::{Decided, Scope, Store};

/// The errors of setting the threshold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// The product has no stock item.
    #[error("the product has no stock item")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl<S: Store> UseCases<S> {
    /// Sets the threshold and returns the stock item after it.
    pub async fn set_low_stock_threshold(
        &self,
        product: ProductId,
        threshold: i32,
    ) -> Result<StockItem, ThresholdError> {
        let step = move |decider: &mut StockDecider<'_>| decider.set_threshold(product, threshold);
        match self.decide::<StockChangeError>(Scope::product(product), None, step).await? {
            Decided::Rejected(_) => Err(ThresholdError::NotFound),
            Decided::Committed(_) | Decided::AlreadyProcessed { .. } => {
                self.store.find_stock_items(&[product]).await?.pop().ok_or(ThresholdError::NotFound)
            }
        }
    }
}
