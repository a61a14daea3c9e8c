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
    Clock, Commit, EventEnvelope, Fingerprint, IdGenerator, ListError, Page, PageSize, PageTokenSigner, Timestamp,
    Version, change,
};

use crate::domain::{Invalid, Product, ProductEvent, ProductId, Status, search};
use crate::ports::{Cursor, Filter, Order, Store, Unique, Write};

pub use activate_product::ActivateError;
pub use archive_product::ArchiveError;
pub use create_product::{CreateError, CreateProduct};
pub use list_products::{ListProducts, ListProductsError, OrderBy};
pub use update_product::UpdateProductError;

/// The use cases with their ports.
#[derive(Clone)]
pub struct UseCases<S> {
    store: S,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    page_tokens: PageTokenSigner,
}

/// The errors of a change; `E` has those of one use case.
pub type ChangeError<E> = mart_kernel::ChangeError<E, Unique>;

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
        EventEnvelope::all(events, at, &*self.ids, |event| event.product().version)
    }

    /// Loads a product, changes it by `decide` and commits. Without an expected version, a concurrent change is retried.
    async fn change<E>(
        &self,
        id: ProductId,
        expected: Option<Version>,
        decide: impl Fn(Product, Timestamp) -> Result<(Product, Vec<ProductEvent>), E> + Send,
    ) -> Result<Product, ChangeError<E>> {
        let decide = |before: Product| {
            let (now, read) = (self.clock.now(), before.version);
            let (product, events) = decide(before, now)?;
            if events.is_empty() {
                return Ok((product, None));
            }
            let write = Some(Write::Update { product: product.clone(), expected: read });
            Ok((product, Some(Commit { write, events: self.envelopes(events, now), receipt: None })))
        };
        let (find, commit) = (|| self.store.find(id), |commit| self.store.commit(commit));
        change(expected, find, |product| product.version, decide, commit).await
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
