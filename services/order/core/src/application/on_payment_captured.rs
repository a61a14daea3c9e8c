//! Handles PaymentCaptured.

use mart_kernel::{EventOutcome, Money, Receipt, StoreError};

use super::{NOT_READY, OrderId, Store, UseCases};

impl<S: Store> UseCases<S> {
    /// Applies a captured payment, before or after the deadline. A payment with another amount than the total is rejected.
    pub async fn on_payment_captured(
        &self,
        id: OrderId,
        payment_id: String,
        amount: Money,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        match self.store.find(id).await? {
            Some(order) if order.total != amount => {
                return Ok(EventOutcome::Rejected("the amount is not the order's total"));
            }
            Some(_) => {}
            None => return Ok(NOT_READY),
        }
        self.apply_event(id, receipt, move |order, now| order.payment_captured(payment_id.clone(), amount, now)).await
    }
}
