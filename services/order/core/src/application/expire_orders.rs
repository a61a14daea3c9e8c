//! Cancels orders whose payment deadline has passed, each once regardless of the number of replicas.

use mart_kernel::StoreError;

use super::{Order, Store, Unchanged, UseCases};

impl<S: Store> UseCases<S> {
    /// Cancels up to `limit` overdue orders and returns their number. An order that the store rejects does not block the others.
    pub async fn expire_orders(&self, limit: usize) -> Result<usize, StoreError> {
        let due = self.store.due(self.clock.now(), limit).await?;
        let (mut cancelled, mut rejected) = (0, None);
        for id in due {
            match self.change(id, None, None, Order::expire_if_overdue).await {
                Ok(_) => cancelled += 1,
                // Another replica or the customer changed it first.
                Err(
                    Unchanged::Transition(..)
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
