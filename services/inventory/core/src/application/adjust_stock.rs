//! Corrects the count of a product, once per Idempotency-Key.

use mart_kernel::ReceiptBuilder;

use super::{CountError, Counted, UseCases};
use crate::domain::{Cause, ProductId};
use crate::ports::Store;

impl<S: Store> UseCases<S> {
    /// Corrects the count by a delta, for a reason. A repeated request changes nothing and returns the first result.
    pub async fn adjust_stock(
        &self,
        product: ProductId,
        delta: i32,
        reason: String,
        receipt: Option<ReceiptBuilder>,
    ) -> Result<Counted, CountError> {
        self.count(product, delta, Cause::Adjusted(reason), receipt).await
    }
}
