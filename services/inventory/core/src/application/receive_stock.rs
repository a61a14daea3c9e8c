//! Receives units of a product, once per Idempotency-Key.

use mart_kernel::ReceiptBuilder;

use super::{CountError, Counted, UseCases};
use crate::domain::{Cause, ProductId};
use crate::ports::Store;

impl<S: Store> UseCases<S> {
    /// Receives units. A repeated request changes nothing and returns the first result.
    pub async fn receive_stock(
        &self,
        product: ProductId,
        quantity: i32,
        reason: String,
        receipt: Option<ReceiptBuilder>,
    ) -> Result<Counted, CountError> {
        self.count(product, quantity, Cause::Received(reason), receipt).await
    }
}
