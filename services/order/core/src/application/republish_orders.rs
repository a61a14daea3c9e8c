//! Publishes the current state again, so that read models can be rebuilt.

use mart_kernel::{Commit, CommitError, ListError, PageSize, Republished, StoreError};

use super::{OrderEvent, Store, UseCases};
use crate::domain::events::OrderRepublished;
use crate::ports::Filter;

impl<S: Store> UseCases<S> {
    /// Publishes OrderRepublished for a page of orders, with their current versions.
    pub async fn republish_orders(&self, size: PageSize, token: &str) -> Result<Republished, ListError> {
        let page = self.page(&Filter::default(), size, token).await?;
        let count = page.items.len();
        if count > 0 {
            let events =
                page.items.into_iter().map(|order| OrderEvent::OrderRepublished(OrderRepublished { order })).collect();
            let commit = Commit { write: None, events: self.envelopes(events, self.clock.now()), receipt: None };
            self.store.commit(commit).await.map_err(|error| match error {
                CommitError::Unavailable(error) => error,
                // Nothing is written that could conflict.
                CommitError::Conflict => StoreError::Internal,
                CommitError::Duplicate(never) => match never {},
            })?;
        }
        Ok(Republished { count, next: page.next })
    }
}
