//! Saying from when on a stock is low.

use mart_kernel::StoreError;

use super::{Decided, ProductId, Scope, Store, UseCases};
use crate::domain::{Refused, StockItem};

/// Why the threshold was not moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ThresholdError {
    /// Nothing is known of the product.
    NotFound,
    /// The store can't be reached.
    Unavailable(StoreError),
}

impl From<StoreError> for ThresholdError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl<S: Store> UseCases<S> {
    /// Moves the threshold; the item as it is after that.
    pub async fn set_low_stock_threshold(
        &self,
        product: ProductId,
        threshold: i32,
    ) -> Result<StockItem, ThresholdError> {
        let step = move |decider: &mut crate::domain::StockDecider<'_>| decider.set_threshold(product, threshold);
        match self.decide::<Refused>(Scope::product(product), None, step).await? {
            Decided::Refused(_) => Err(ThresholdError::NotFound),
            Decided::Kept(_) | Decided::AlreadyProcessed { .. } => {
                self.store.items(&[product]).await?.pop().ok_or(ThresholdError::NotFound)
            }
        }
    }
}
