//! Sends requested refunds to their providers.

use mart_kernel::{StoreError, process_each};

use super::UseCases;
use crate::domain::{Account, OrderId, Provider, Refund, RefundId, RefundStatus, TransactionKind};
use crate::ports::{ProviderError, RefundOutcome, RefundRequest, Store};

impl<S: Store> UseCases<S> {
    /// Sends up to `limit` due refunds and returns their number. A refund without a response does not block the others.
    pub async fn send_refunds(&self, limit: usize) -> Result<usize, StoreError> {
        let due = self.store.due_refunds(self.clock.now(), limit).await?;
        process_each(due, |(order, id)| async move { self.send_refund(order, id).await.map(|()| true) }).await
    }

    async fn send_refund(&self, order: OrderId, id: RefundId) -> Result<(), StoreError> {
        // Before the request, so that a refund without a response is not sent again at once.
        self.settle(order, move |decider| decider.schedule_refund_retry(id)).await?;
        let account = self.store.find(order).await?;
        let Some((provider, request)) = account.as_ref().and_then(|account| pending_request(account, id)) else {
            return Ok(());
        };
        let Some(provider) = self.providers.get(provider).cloned() else { return Ok(()) };
        match provider.refund(&request).await {
            Ok(RefundOutcome::Succeeded(reference)) => {
                self.settle(order, move |decider| decider.refunded(id, &reference)).await
            }
            Ok(RefundOutcome::Rejected(reason)) | Err(ProviderError::Rejected(reason)) => {
                self.settle(order, move |decider| decider.refund_failed(id, &reason)).await
            }
            Ok(RefundOutcome::Manual) => self.settle(order, move |decider| decider.require_manual_refund(id)).await,
            Ok(RefundOutcome::Pending) | Err(ProviderError::Unavailable) => Ok(()),
        }
    }
}

/// Returns the request of a pending refund and its provider.
fn pending_request(account: &Account, id: RefundId) -> Option<(Provider, RefundRequest)> {
    let pending = |refund: &&Refund| refund.id == id && refund.status == RefundStatus::Pending;
    let refund = account.refunds.iter().find(pending)?;
    let attempt = account.attempt(refund.attempt)?;
    let capture = account
        .transactions
        .iter()
        .find(|booked| booked.kind == TransactionKind::Captured && booked.attempt == refund.attempt)?;
    let (attempt, captured, amount) = (attempt.reference.clone(), capture.reference.clone(), refund.amount);
    Some((capture.provider, RefundRequest { refund: id, attempt, captured, amount }))
}
