//! Requests a refund for an admin.

use mart_kernel::{Money, StoreError};

use super::UseCases;
use crate::domain::{Account, OrderId, PaymentDecider, RefundId, RefundRejection};
use crate::ports::Store;

/// The errors of requesting a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefundError {
    /// The payment does not allow it.
    #[error(transparent)]
    Rejected(#[from] RefundRejection),
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl<S: Store> UseCases<S> {
    /// Creates a refund for an admin: the whole refundable amount or a part. The background job sends it at once.
    pub async fn refund_payment(
        &self,
        order: OrderId,
        refund: RefundId,
        amount: Option<Money>,
        reason: String,
    ) -> Result<Account, RefundError> {
        let step = move |decider: &mut PaymentDecider| {
            decider.refund(refund, amount, reason)?;
            decider.account().cloned().ok_or(RefundRejection::NotFound)
        };
        Ok(self.settle(order, step).await??)
    }
}
