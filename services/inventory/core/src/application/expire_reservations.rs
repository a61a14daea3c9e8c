//! Expires reservations that were not committed in time.

use std::convert::Infallible;

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::StockDecider;
use crate::ports::{Decided, Scope, Store};

impl<S: Store> UseCases<S> {
    /// Expires up to `limit` reservations, each once regardless of the number of replicas, and returns their number. A reservation
    /// that the store rejects does not block the others.
    pub async fn expire_reservations(&self, limit: usize) -> Result<usize, StoreError> {
        let due = self.store.due(self.clock.now(), limit).await?;
        let (mut expired, mut rejected) = (0, None);
        for order in due {
            let step = |decider: &mut StockDecider<'_>| {
                decider.expire();
                Ok::<(), Infallible>(())
            };
            match self.decide(Scope::order(order, std::iter::empty()), None, step).await {
                // Another replica may have expired it first.
                Ok(Decided::Committed(change)) => expired += usize::from(change.reservation.is_some()),
                Ok(Decided::AlreadyProcessed { .. }) => {}
                Ok(Decided::Rejected(never)) => match never {},
                Err(StoreError::Unavailable) => return Err(StoreError::Unavailable),
                Err(error) => rejected = Some(error),
            }
        }
        match rejected {
            Some(error) if expired == 0 => Err(error),
            _ => Ok(expired),
        }
    }
}
