//! The use cases, one per file. Each commits at most once.

mod activate_product;
mod admin_get_product;
mod admin_list_products;
mod archive_product;
mod create_product;
mod get_product;
mod get_product_by_slug;
mod list_products;
mod republish_products;
mod update_product;

use std::sync::Arc;

use mart_kernel::page::InvalidPageToken;
use mart_kernel::{
    Clock, Commit, CommitError, EventEnvelope, Fingerprint, IdGenerator, ListError, Page, PageSize, PageTokenSigner,
    StoreError, Timestamp, Version,
};

use crate::domain::{Invalid, Product, ProductEvent, ProductId, Status, search};
use crate::ports::{Cursor, Filter, Order, Store, Unique, Write};

pub use activate_product::ActivateError;
pub use archive_product::ArchiveError;
pub use create_product::{CreateError, CreateProduct};
pub use list_products::{ListProducts, ListProductsError, OrderBy};
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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError<E> {
    /// The product does not exist.
    #[error("the product does not exist")]
    NotFound,
    /// The product has another version than the expected one.
    #[error("the product has another version")]
    PreconditionFailed,
    /// Concurrent changes prevented every attempt.
    #[error("concurrent changes prevented every attempt")]
    Contention,
    /// Another product has this value.
    #[error("another product has this value")]
    Taken(Unique),
    /// The product does not allow it.
    #[error(transparent)]
    Rejected(E),
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl<S: Store> UseCases<S> {
    /// Creates the use cases. `page_tokens` signs page tokens.
    pub fn new(store: S, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>, page_tokens: PageTokenSigner) -> Self {
        Self { store, clock, ids, page_tokens }
    }

    /// Returns a page of the products that a request matches.
    async fn list(&self, request: ListProducts) -> Result<Page<Product>, ListProductsError> {
        let (size, token) = (request.page_size, request.page_token.clone());
        let (filter, order) = request.parse().map_err(ListProductsError::Invalid)?;
        Ok(self.page(&filter, order, size, &token).await?)
    }

    /// Returns the page after a token, or the first page.
    async fn page(
        &self,
        filter: &Filter,
        order: Order,
        size: PageSize,
        token: &str,
    ) -> Result<Page<Product>, ListError> {
        let list = fingerprint(filter, order);
        let after = match token {
            "" => None,
            token => Some(Cursor::decode(order, &self.page_tokens.verify(list, token)?).ok_or(InvalidPageToken)?),
        };
        let found = self.store.list(filter, order, after.as_ref(), size.get() + 1).await?;
        Ok(Page::cut(found, size, |last| self.page_tokens.sign(list, &Cursor::of(order, last).encode())))
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
            let found = self.store.find(id).await?;
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

/// Returns a fingerprint of the list, so that a token is valid for its own list only. The page size may differ.
fn fingerprint(filter: &Filter, order: Order) -> [u8; 32] {
    let Filter { status, category, price, words } = filter;
    let range = price.map(|range| format!("{} {} {}", range.currency, range.min, range.max));
    let start = Fingerprint::new("products")
        .part(format!("{order:?} {status:?}").as_bytes())
        .optional(category.as_deref().map(str::as_bytes))
        .optional(range.as_deref().map(str::as_bytes));
    words.iter().fold(start, |all, word| all.part(word.as_bytes())).finish()
}

impl<S> std::fmt::Debug for UseCases<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UseCases")
    }
}
