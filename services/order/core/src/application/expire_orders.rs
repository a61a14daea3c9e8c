//! The payment deadline: orders that nobody paid are cancelled, each once however many replicas sweep.

use mart_kernel::StoreError;

use super::{Order, Store, Unchanged, UseCases};

impl<S: Store> UseCases<S> {
    /// Cancels up to `limit` orders whose deadline has passed; how many it cancelled. One that the store refuses does not
    /// hold up the others.
    pub async fn expire_orders(&self, limit: usize) -> Result<usize, StoreError> {
        let due = self.store.due(self.clock.now(), limit).await?;
        let (mut cancelled, mut rejected) = (0, None);
        for id in due {
            match self.change(id, None, None, Order::expire_if_overdue).await {
                Ok(_) => cancelled += 1,
                // Another replica, or the customer, was faster.
                Err(
                    Unchanged::TransitionError(..)
                    | Unchanged::NotFound
                    | Unchanged::PreconditionFailed
                    | Unchanged::Contention,
                ) => {}
                Err(Unchanged::Unavailable(StoreError::Unavailable)) => return Err(StoreError::Unavailable),
                Err(Unchanged::Unavailable(error)) => rejected = Some(error),
            }
        }
        match rejected {
            Some(error) if cancelled == 0 => Err(error),
            _ => Ok(cancelled),
        }
    }
}
