//! Cancels orders whose payment deadline has passed, each once regardless of the number of replicas.

use mart_kernel::{StoreError, process_each};

use super::{Order, Store, Unchanged, UseCases};

impl<S: Store> UseCases<S> {
    /// Cancels up to `limit` overdue orders and returns their number. An order that the store rejects does not block the others.
    pub async fn expire_orders(&self, limit: usize) -> Result<usize, StoreError> {
        let due = self.store.due(self.clock.now(), limit).await?;
        let cancel = |id| async move {
            match self.change(id, None, None, Order::expire_if_overdue).await {
                Ok(_) => Ok(true),
                Err(Unchanged::Unavailable(error)) => Err(error),
                // Another replica or the customer changed it first.
                Err(
                    Unchanged::Rejected(_)
                    | Unchanged::NotFound
                    | Unchanged::PreconditionFailed
                    | Unchanged::Contention,
                ) => Ok(false),
            }
        };
        process_each(due, cancel).await
    }
}
