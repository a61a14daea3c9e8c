//! Publishes the current state again, so that read models can be rebuilt.

use mart_kernel::{Commit, CommitError, ListError, PageSize, Republished, StoreError};

use super::{ProductEvent, Store, UseCases};
use crate::domain::events::ProductRepublished;
use crate::ports::{Filter, Order};

impl<S: Store> UseCases<S> {
    /// Publishes ProductRepublished for a page of products, with their current versions.
    pub async fn republish_products(&self, size: PageSize, token: &str) -> Result<Republished, ListError> {
        let page = self.page(&Filter::default(), Order::Newest, size, token).await?;
        let count = page.items.len();
        if count > 0 {
            let events = page
                .items
                .into_iter()
                .map(|product| ProductEvent::ProductRepublished(ProductRepublished { product }))
                .collect();
            let commit = Commit { write: None, events: self.envelopes(events, self.clock.now()), receipt: None };
            self.store.commit(commit).await.map_err(|error| match error {
                CommitError::Unavailable(error) => error,
                // Nothing is written that could conflict.
                CommitError::Conflict | CommitError::Duplicate(_) => StoreError::Internal,
            })?;
        }
        Ok(Republished { count, next: page.next })
    }
}
