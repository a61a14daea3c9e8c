//! The payment deadline: orders that nobody paid are cancelled, each once however many replicas sweep.

use mart_kernel::Unavailable;

use super::{Order, Store, Unchanged, UseCases};

impl<S: Store> UseCases<S> {
    /// Cancels up to `limit` orders whose deadline has passed; how many were found due.
    pub async fn expire_orders(&self, limit: usize) -> Result<usize, Unavailable> {
        let due = self.store.due(self.clock.now(), limit).await?;
        for id in &due {
            match self.change(*id, None, None, Order::look_at_deadline).await {
                // Another replica, or the customer, was faster.
                Ok(_) | Err(Unchanged::Stopped(..) | Unchanged::NotFound | Unchanged::Stale | Unchanged::Contended) => {
                }
                Err(Unchanged::Unavailable(error)) => return Err(error),
            }
        }
        Ok(due.len())
    }
}
