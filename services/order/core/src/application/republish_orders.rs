//! Telling the current state again, so that read models can be rebuilt.

use mart_kernel::{Commit, CommitError, PageSize, StoreError};

use super::{ListError, OrderEvent, Store, UseCases};
use crate::domain::events::OrderRepublished;
use crate::ports::Filter;

/// What was published again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Republished {
    /// How many orders.
    pub count: usize,
    /// Leads to the rest; `None` when all are published.
    pub next: Option<String>,
}

impl<S: Store> UseCases<S> {
    /// Publishes OrderRepublished for a page of all orders, under their current versions.
    pub async fn republish_orders(&self, size: PageSize, token: &str) -> Result<Republished, ListError> {
        let page = self.page(&Filter::default(), size, token).await?;
        let count = page.items.len();
        if count > 0 {
            let events =
                page.items.into_iter().map(|order| OrderEvent::OrderRepublished(OrderRepublished { order })).collect();
            let commit = Commit { write: None, events: self.envelopes(events, self.clock.now()), receipt: None };
            self.store.commit(commit).await.map_err(|error| match error {
                CommitError::Unavailable(error) => error,
                // Nothing is written that others could have changed.
                CommitError::Conflict => StoreError::Internal,
                CommitError::Duplicate(never) => match never {},
            })?;
        }
        Ok(Republished { count, next: page.next })
    }
}
