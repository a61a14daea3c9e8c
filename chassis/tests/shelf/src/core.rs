//! The rules of the shelf.

use std::future::Future;

use mart_kernel::{CommitError, CommitOutcome, Receipt, StoreError, Version};

/// What the shelf tells others: nothing.
pub mod domain {
    /// There is no fact.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum ShelfEvent {}
}

/// A product on the shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The product's id.
    pub product_id: String,
    /// The version that was applied last.
    pub version: Version,
    /// Its name.
    pub name: String,
}

/// What the shelf needs from a store.
pub trait Items: Send + Sync {
    /// The item of a product.
    fn find(&self, product_id: &str) -> impl Future<Output = Result<Option<Item>, StoreError>> + Send;

    /// Keeps an item and a line of the log, once per receipt; an item has to be at the version before.
    fn keep(&self, item: Item, receipt: Receipt)
    -> impl Future<Output = Result<CommitOutcome, CommitError<()>>> + Send;
}

/// How the shelf answers an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The item becomes this.
    Keep(Item),
    /// It was told before, or something newer was.
    Old,
    /// The event before it has not been seen.
    Early,
}

/// Decides what an event means: versions are applied one after the other.
pub fn decide(known: Option<&Item>, told: Item) -> Decision {
    let last = known.map_or(Version::NONE, |item| item.version);
    if told.version <= last {
        Decision::Old
    } else if told.version == last.next() {
        Decision::Keep(told)
    } else {
        Decision::Early
    }
}
