//! The use cases, one per file. Each commits at most once.

mod activate_product;
mod archive_product;
mod create_product;
mod get_product;
mod list_products;
mod republish_products;
mod update_product;

use std::sync::Arc;

use mart_kernel::{
    Clock, Commit, CommitError, EventEnvelope, IdGenerator, PageTokenSigner, StoreError, Timestamp, Version,
};

use crate::domain::{Invalid, Product, ProductEvent, ProductId, Status, search};
use crate::ports::{Store, Unique, Write};

pub use activate_product::ActivateError;
pub use archive_product::ArchiveError;
pub use create_product::{CreateError, CreateProduct};
pub use list_products::{ListError, ListProducts, OrderBy};
pub use republish_products::Republished;
pub use update_product::UpdateProductError;

/// The number of attempts to apply a change despite concurrent changes.
const ATTEMPTS: usize = 3;

/// The use cases with their ports.
#[derive(Clone)]
pub struct UseCases<S> {
    store: S,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    page_tokens: PageTokenSigner,
}

/// The errors of a change; `E` has those of one use case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeError<E> {
    /// The product does not exist.
    NotFound,
    /// The product has another version than the expected one.
    PreconditionFailed,
    /// Concurrent changes prevented every attempt.
    Contention,
    /// Another product has this value.
    Taken(Unique),
    /// The product does not allow it.
    Rejected(E),
    /// The store failed.
    Unavailable(StoreError),
}

impl<S: Store> UseCases<S> {
    /// Creates the use cases. `page_tokens` signs page tokens.
    pub fn new(store: S, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>, page_tokens: PageTokenSigner) -> Self {
        Self { store, clock, ids, page_tokens }
    }

    /// Returns the store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Adds ids and the time to events. Each has the version of its product.
    fn envelopes(&self, events: Vec<ProductEvent>, at: Timestamp) -> Vec<EventEnvelope<ProductEvent>> {
        let envelope = |event: ProductEvent| EventEnvelope {
            id: self.ids.next(),
            at,
            version: event.product().version,
            payload: event,
        };
        events.into_iter().map(envelope).collect()
    }

    /// Loads a product, changes it by `decide` and commits. Without an expected version, a concurrent change is retried.
    async fn change<E>(
        &self,
        id: ProductId,
        expected: Option<Version>,
        decide: impl Fn(Product, Timestamp) -> Result<(Product, Vec<ProductEvent>), E> + Send,
    ) -> Result<Product, ChangeError<E>> {
        for _ in 0..ATTEMPTS {
            let found = self.store.by_id(id).await.map_err(ChangeError::Unavailable)?;
            let product = found.ok_or(ChangeError::NotFound)?;
            if expected.is_some_and(|version| version != product.version) {
                return Err(ChangeError::PreconditionFailed);
            }
            let (now, read) = (self.clock.now(), product.version);
            let (product, events) = decide(product, now).map_err(ChangeError::Rejected)?;
            if events.is_empty() {
                return Ok(product);
            }
            let write = Some(Write::Update { product: product.clone(), expected: read });
            let commit = Commit { write, events: self.envelopes(events, now), receipt: None };
            match self.store.commit(commit).await {
                Ok(_) => return Ok(product),
                Err(CommitError::Conflict) if expected.is_some() => return Err(ChangeError::PreconditionFailed),
                Err(CommitError::Conflict) => {}
                Err(CommitError::Duplicate(unique)) => return Err(ChangeError::Taken(unique)),
                Err(CommitError::Unavailable(error)) => return Err(ChangeError::Unavailable(error)),
            }
        }
        Err(ChangeError::Contention)
    }
}

impl<S> std::fmt::Debug for UseCases<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UseCases")
    }
}
