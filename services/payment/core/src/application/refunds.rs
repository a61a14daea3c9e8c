//! Refunds and tasks.

use mart_kernel::{Money, StoreError};

use super::UseCases;
use crate::domain::{
    Account, OrderId, PaymentDecider, Provider, Refund, RefundId, RefundRejection, RefundStatus, TaskId,
    TransactionKind,
};
use crate::ports::{ProviderError, RefundOutcome, RefundRequest, Store};

/// The errors of requesting a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundError {
    /// The payment does not allow it.
    Rejected(RefundRejection),
    /// The store failed.
    Unavailable(StoreError),
}

/// The errors of resolving a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResolveError {
    /// The payment does not exist.
    NotFound,
    /// The payment has no such open task.
    NoTask,
    /// The store failed.
    Unavailable(StoreError),
}

impl From<StoreError> for ResolveError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl<S: Store> UseCases<S> {
    /// Creates a refund for an admin: the whole refundable amount or a part. The background job sends it at once.
    pub async fn refund(
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
        self.settle(order, step).await.map_err(RefundError::Unavailable)?.map_err(RefundError::Rejected)
    }

    /// Resolves a task. `resolution` describes the operator's action; `refunded` is true if they made the task's refund.
    pub async fn resolve(
        &self,
        order: OrderId,
        task: TaskId,
        resolution: String,
        refunded: bool,
    ) -> Result<Account, ResolveError> {
        let step = move |decider: &mut PaymentDecider| {
            let resolved = decider.resolve(task, resolution, refunded);
            decider.account().cloned().map(|account| (account, resolved))
        };
        let (account, resolved) = self.settle(order, step).await?.ok_or(ResolveError::NotFound)?;
        if resolved { Ok(account) } else { Err(ResolveError::NoTask) }
    }

    /// Sends up to `limit` due refunds and returns their number. A refund without a response does not block the others.
    pub async fn send_refunds(&self, limit: usize) -> Result<usize, StoreError> {
        let due = self.store.due_refunds(self.clock.now(), limit).await?;
        let count = due.len();
        for (order, id) in due {
            // Before the request, so that a refund without a response is not sent again at once.
            self.settle(order, move |decider| decider.schedule_refund_retry(id)).await?;
            let account = self.store.find(order).await?;
            let Some((provider, request)) = account.as_ref().and_then(|account| pending_request(account, id)) else {
                continue;
            };
            let Some(provider) = self.providers.get(provider).cloned() else { continue };
            match provider.refund(&request).await {
                Ok(RefundOutcome::Succeeded(reference)) => {
                    self.settle(order, move |decider| decider.refunded(id, &reference)).await?;
                }
                Ok(RefundOutcome::Rejected(reason)) | Err(ProviderError::Rejected(reason)) => {
                    self.settle(order, move |decider| decider.refund_failed(id, &reason)).await?;
                }
                Ok(RefundOutcome::Manual) => {
                    self.settle(order, move |decider| decider.require_manual_refund(id)).await?;
                }
                Ok(RefundOutcome::Pending) | Err(ProviderError::Unavailable) => {}
            }
        }
        Ok(count)
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
