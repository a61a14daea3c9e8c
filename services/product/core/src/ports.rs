//! The store that the catalog needs.

use std::future::Future;

use mart_kernel::money::Currency;
use mart_kernel::{Commit, CommitError, CommitOutcome, Money, StoreError, Timestamp, Version};
use uuid::Uuid;

use crate::domain::{Product, ProductEvent, ProductId, Status, search};

/// Stores products, their events and receipts.
///
/// Every implementation passes [`conformance`](mod@crate::conformance). Each method returns [`StoreError`] if the store fails; the
/// implementation logs the cause.
pub trait Store: Send + Sync {
    /// Returns a product by its id.
    fn find(&self, id: ProductId) -> impl Future<Output = Result<Option<Product>, StoreError>> + Send;

    /// Returns a product by the [key](crate::domain::Slug::key) of its slug.
    fn find_by_slug(&self, slug_key: &str) -> impl Future<Output = Result<Option<Product>, StoreError>> + Send;

    /// Returns up to `limit` products that match the filter, in order, after the cursor.
    fn list(
        &self,
        filter: &Filter,
        order: Order,
        after: Option<&Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Product>, StoreError>> + Send;

    /// Commits everything or nothing.
    ///
    /// An update must be of the version that was read; otherwise it is a conflict. An existing receipt is reported before a
    /// conflict and a duplicate.
    fn commit(
        &self,
        commit: Commit<Write, ProductEvent>,
    ) -> impl Future<Output = Result<CommitOutcome, CommitError<Unique>>> + Send;
}

/// The write of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Inserts a product.
    Insert(Product),
    /// Updates a product.
    Update {
        /// The product after the change.
        product: Product,
        /// The version that was read.
        expected: Version,
    },
}

/// The unique values of products, including archived ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unique {
    /// The SKU's key.
    Sku,
    /// The slug's key.
    Slug,
}

/// The filter of a list. The default matches all products.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// The status.
    pub status: Option<Status>,
    /// The exact category.
    pub category: Option<String>,
    /// Bounds of the price.
    pub price: Option<PriceRange>,
    /// Words, each at the beginning of a word of name or SKU; see [`search`].
    pub words: Vec<String>,
}

/// A range of prices in minor units, including both bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceRange {
    /// The currency of both bounds.
    pub currency: Currency,
    /// The lower bound.
    pub min: i64,
    /// The upper bound.
    pub max: i64,
}

/// The order of a list. The id breaks ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Newest first, then the larger id first.
    Newest,
    /// By the case-folded name, compared by bytes.
    Name,
    /// Cheapest first in this currency. Products without a price in it come last.
    Price(Currency),
}

/// A product's position in an [`Order`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    /// In [`Order::Newest`].
    Newest(Timestamp, ProductId),
    /// In [`Order::Name`], with the case-folded name.
    Name(String, ProductId),
    /// In [`Order::Price`], in minor units; `None` for a product without a price.
    Price(Option<i64>, ProductId),
}

impl Cursor {
    /// Returns a product's position.
    pub fn of(order: Order, product: &Product) -> Self {
        match order {
            Order::Newest => Self::Newest(product.created_at, product.id),
            Order::Name => Self::Name(search::fold(&product.details.name), product.id),
            Order::Price(currency) => Self::Price(product.details.prices.of(currency).map(Money::minor), product.id),
        }
    }

    /// Encodes the cursor for a page token.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let (id, key) = match self {
            Self::Newest(at, id) => (id, at.unix_micros().to_be_bytes().to_vec()),
            Self::Name(name, id) => (id, name.clone().into_bytes()),
            Self::Price(minor, id) => (id, minor.map(|minor| minor.to_be_bytes().to_vec()).unwrap_or_default()),
        };
        [id.0.as_bytes().as_slice(), &key].concat()
    }

    /// Decodes a cursor of this order; `None` if the bytes are not one.
    pub(crate) fn decode(order: Order, bytes: &[u8]) -> Option<Self> {
        let (id, key) = bytes.split_at_checked(16)?;
        let id = ProductId(Uuid::from_slice(id).ok()?);
        let number = || key.try_into().ok().map(i64::from_be_bytes);
        Some(match order {
            Order::Newest => Self::Newest(Timestamp::from_unix_micros(number()?)?, id),
            Order::Name => Self::Name(String::from_utf8(key.to_vec()).ok()?, id),
            Order::Price(_) if key.is_empty() => Self::Price(None, id),
            Order::Price(_) => Self::Price(Some(number()?), id),
        })
    }
}
