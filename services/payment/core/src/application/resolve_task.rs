//! Resolves a task of an operator.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{Account, OrderId, PaymentDecider, TaskId};
use crate::ports::Store;

/// The errors of resolving a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The payment does not exist.
    #[error("the payment does not exist")]
    NotFound,
    /// The payment has no such open task.
    #[error("the payment has no such open task")]
    NoTask,
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl<S: Store> UseCases<S> {
    /// Resolves a task. `resolution` describes the operator's action; `refunded` is true if they made the task's refund.
    pub async fn resolve_task(
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
}
