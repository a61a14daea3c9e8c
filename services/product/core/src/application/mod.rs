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

/// How often a change is tried again when somebody else changed the product in between.
const ATTEMPTS: usize = 3;

/// The use cases over their ports.
#[derive(Clone)]
pub struct UseCases<P> {
    products: P,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    page_tokens: PageTokenSigner,
}

/// Why a change of an existing product was not made, beside the reasons `E` of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeError<E> {
    /// There is no such product.
    NotFound,
    /// The caller has seen another version than the current one.
    PreconditionFailed,
    /// Somebody else changed it each time.
    Contention,
    /// The change would take what another product has.
    Taken(Unique),
    /// The product does not allow it.
    Refused(E),
    /// The store can't be reached.
    Unavailable(StoreError),
}

impl<P: Store> UseCases<P> {
    /// Puts the use cases over a store; `page_tokens` makes page tokens.
    pub fn new(products: P, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>, page_tokens: PageTokenSigner) -> Self {
        Self { products, clock, ids, page_tokens }
    }

    /// The store, for who put it in.
    pub fn products(&self) -> &P {
        &self.products
    }

    /// Gives events their ids and the time; each has the version of the product that it carries.
    fn envelopes(&self, events: Vec<ProductEvent>, at: Timestamp) -> Vec<EventEnvelope<ProductEvent>> {
        let event = |event: ProductEvent| EventEnvelope {
            id: self.ids.next(),
            at,
            version: event.product().version,
            payload: event,
        };
        events.into_iter().map(event).collect()
    }

    /// Loads a product, lets `decide` change it and commits. Without an expected version it is tried again when somebody
    /// else was faster.
    async fn change<E>(
        &self,
        id: ProductId,
        expected: Option<Version>,
        decide: impl Fn(Product, Timestamp) -> Result<(Product, Vec<ProductEvent>), E> + Send,
    ) -> Result<Product, ChangeError<E>> {
        for _ in 0..ATTEMPTS {
            let found = self.products.by_id(id).await.map_err(ChangeError::Unavailable)?;
            let product = found.ok_or(ChangeError::NotFound)?;
            if expected.is_some_and(|version| version != product.version) {
                return Err(ChangeError::PreconditionFailed);
            }
            let now = self.clock.now();
            let (product, events) = decide(product, now).map_err(ChangeError::Refused)?;
            if events.is_empty() {
                return Ok(product);
            }
            let write = Some(Write::Update(product.clone()));
            let commit = Commit { write, events: self.envelopes(events, now), receipt: None };
            match self.products.commit(commit).await {
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

impl<P> std::fmt::Debug for UseCases<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UseCases")
    }
}
