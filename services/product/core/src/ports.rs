//! What the use_cases needs from a store.

use std::future::Future;

use mart_kernel::money::Currency;
use mart_kernel::{Commit, CommitError, CommitOutcome, StoreError, Timestamp};

use crate::domain::{Product, ProductEvent, ProductId, Status};

/// Keeps products, their events and the receipts of requests.
///
/// Every implementation passes [`conformance`](mod@crate::conformance). Each method fails with [`Unavailable`] where the store
/// can't be reached; the implementation logs why.
pub trait Store: Send + Sync {
    /// Finds a product by its id.
    fn by_id(&self, id: ProductId) -> impl Future<Output = Result<Option<Product>, StoreError>> + Send;

    /// Finds a product by the [key](crate::domain::Slug::key) of its slug.
    fn by_slug(&self, slug_key: &str) -> impl Future<Output = Result<Option<Product>, StoreError>> + Send;

    /// Up to `limit` products that pass the filter, in order, beginning after the cursor.
    fn list(
        &self,
        filter: &Filter,
        order: Order,
        after: Option<&Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Product>, StoreError>> + Send;

    /// Keeps all of a commit or nothing.
    ///
    /// An update is at the version before its first event, or it is a conflict. A receipt that is there already wins over a
    /// conflict and over a taken value.
    fn commit(
        &self,
        commit: Commit<Write, ProductEvent>,
    ) -> impl Future<Output = Result<CommitOutcome, CommitError<Unique>>> + Send;
}

/// What a commit writes, beside events and receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// A new product.
    Insert(Product),
    /// A product as it shall be; it has to be at the version before the commit's first event.
    Update(Product),
}

/// What no two products may share, archived ones included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unique {
    /// The SKU's key.
    Sku,
    /// The slug's key.
    Slug,
}

/// Which products a list has. The default has all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// In this status.
    pub status: Option<Status>,
    /// Of this category, spelled exactly.
    pub category: Option<String>,
    /// With a price within these bounds.
    pub price: Option<PriceRange>,
    /// With every one of these at the beginning of a word of name or SKU; see [`search`](crate::domain::search).
    pub words: Vec<String>,
}

/// A range of prices in minor units, bounds included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceRange {
    /// The currency of both bounds.
    pub currency: Currency,
    /// At least.
    pub min: i64,
    /// At most.
    pub max: i64,
}

/// The order of a list; the id breaks ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Cursor first, ties by the larger id first.
    Cursor,
    /// By the folded name, byte by byte.
    Name,
    /// Cheapest first in this currency; products without a price in it come last.
    Price(Currency),
}

/// The place of a product in an [`Order`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    /// In [`Order::Cursor`].
    Cursor(Timestamp, ProductId),
    /// In [`Order::Name`], with the folded name.
    Name(String, ProductId),
    /// In [`Order::Price`], in minor units; `None` for a product without a price.
    Price(Option<i64>, ProductId),
}
