//! Expires reservations that were not committed in time.

use std::convert::Infallible;

use mart_kernel::{StoreError, process_each};

use super::UseCases;
use crate::domain::StockDecider;
use crate::ports::{Decided, Scope, Store};

impl<S: Store> UseCases<S> {
    /// Expires up to `limit` reservations, each once regardless of the number of replicas, and returns their number. A reservation
    /// that the store rejects does not block the others.
    pub async fn expire_reservations(&self, limit: usize) -> Result<usize, StoreError> {
        let due = self.store.due(self.clock.now(), limit).await?;
        let expire = |order| async move {
            let step = |decider: &mut StockDecider<'_>| {
                decider.expire();
                Ok::<(), Infallible>(())
            };
            match self.decide(Scope::order(order, std::iter::empty()), None, step).await? {
                // Another replica may have expired it first.
                Decided::Committed(change) => Ok(change.reservation.is_some()),
                Decided::AlreadyProcessed { .. } => Ok(false),
            }
        };
        process_each(due, expire).await
    }
}
