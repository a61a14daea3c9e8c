//! Handles OrderAwaitingPayment.

use mart_kernel::{EventOutcome, Money, Receipt, StoreError, Timestamp};

use super::UseCases;
use crate::domain::{CustomerId, OrderId, Payer, PaymentDecider};
use crate::ports::Store;

/// OrderAwaitingPayment: an order to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwaitingPayment {
    /// The order.
    pub order: OrderId,
    /// The customer.
    pub customer: CustomerId,
    /// The payer's contact.
    pub payer: Payer,
    /// The amount.
    pub amount: Money,
    /// The payment deadline.
    pub deadline: Timestamp,
}

impl<S: Store> UseCases<S> {
    /// Opens the payment of an order.
    pub async fn on_order_awaiting_payment(
        &self,
        awaiting: AwaitingPayment,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        let AwaitingPayment { order, customer, payer, amount, deadline } = awaiting;
        let step = move |decider: &mut PaymentDecider| decider.open_payment(order, customer, payer, amount, deadline);
        self.decide(order, Some(receipt), step).await.map(|_| EventOutcome::Applied)
    }
}
