//! Handles OrderCancelled.

use mart_kernel::{EventOutcome, Money, Receipt, StoreError};

use super::UseCases;
use crate::domain::{CustomerId, OrderId, PaymentDecider};
use crate::ports::Store;

/// OrderCancelled: an order that is no longer to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelled {
    /// The order.
    pub order: OrderId,
    /// The customer.
    pub customer: CustomerId,
    /// The order's total.
    pub amount: Money,
}

impl<S: Store> UseCases<S> {
    /// Closes the payment of a cancelled order.
    pub async fn on_order_cancelled(&self, cancelled: Cancelled, receipt: Receipt) -> Result<EventOutcome, StoreError> {
        let Cancelled { order, customer, amount } = cancelled;
        let step = move |decider: &mut PaymentDecider| decider.close_payment(order, customer, amount);
        self.decide(order, Some(receipt), step).await.map(|_| EventOutcome::Applied)
    }
}
