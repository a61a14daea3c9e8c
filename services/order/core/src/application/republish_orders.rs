//! Publishes the current state again, so that read models can be rebuilt.

use mart_kernel::{Commit, CommitError, PageSize, StoreError};

use super::{ListError, OrderEvent, Store, UseCases};
use crate::domain::events::OrderRepublished;
use crate::ports::Filter;

/// The result of republishing a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Republished {
    /// The number of orders.
    pub count: usize,
    /// The token of the next page; `None` after the last one.
    pub next: Option<String>,
}

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
