//! The rules of the shelf.

use std::future::Future;

use mart_kernel::{CommitError, CommitOutcome, Receipt, StoreError, Version};

/// The domain of the shelf. It publishes no events.
pub mod domain {
    /// The events of the shelf: none.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum ShelfEvent {}
}

/// A product on the shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The product's id.
    pub product_id: String,
    /// The version of the last applied event.
    pub version: Version,
    /// The product's name.
    pub name: String,
}

/// The store of items.
pub trait Items: Send + Sync {
    /// Returns the item of a product.
    fn find(&self, product_id: &str) -> impl Future<Output = Result<Option<Item>, StoreError>> + Send;

    /// Stores an item and a line of the log, once per receipt. A conflict unless the stored item has the preceding version.
    fn store(
        &self,
        item: Item,
        receipt: Receipt,
    ) -> impl Future<Output = Result<CommitOutcome, CommitError<()>>> + Send;
}

/// The decision on an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Store this item.
    Store(Item),
    /// This event or a newer one was already applied.
    Duplicate,
    /// The preceding event has not been received.
    TooEarly,
}

/// Decides on an event. Versions are applied without gaps.
pub fn decide(known: Option<&Item>, received: Item) -> Decision {
    let last = known.map_or(Version::NONE, |item| item.version);
    if received.version <= last {
        Decision::Duplicate
    } else if received.version == last.next() {
        Decision::Store(received)
    } else {
        Decision::TooEarly
    }
}
