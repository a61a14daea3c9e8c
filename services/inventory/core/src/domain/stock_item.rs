//! The stock of one product.

use mart_kernel::{Cursor, Timestamp, Version};
use uuid::Uuid;

/// The id of a product, which is that of its stock item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductId(pub Uuid);

/// The largest number of units of one product.
pub const MAX_UNITS: i32 = 1_000_000_000;

/// The stock of one product. `0 <= reserved <= on_hand <= MAX_UNITS` always holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockItem {
    /// The product.
    pub id: ProductId,
    /// The number of the item's own events. Orders increase it only if the stock becomes low.
    pub version: Version,
    /// The version of the product's latest event.
    pub product_version: Version,
    /// Units in the warehouse.
    pub on_hand: i32,
    /// Reserved units in the warehouse.
    pub reserved: i32,
    /// The number of available units at which the stock is low; 0 for never.
    pub low_stock_threshold: i32,
    /// Whether no more units are reserved.
    pub archived: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl StockItem {
    /// Creates the stock item of a new product, without units.
    pub fn new(id: ProductId, product_version: Version, now: Timestamp) -> Self {
        Self {
            id,
            version: Version::NONE,
            product_version,
            on_hand: 0,
            reserved: 0,
            low_stock_threshold: 0,
            archived: false,
            created_at: now,
            updated_at: now,
        }
    }

    /// Returns the position in a list.
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id.0 }
    }

    /// Returns the units that are in the warehouse and not reserved.
    pub fn available(&self) -> i32 {
        self.on_hand - self.reserved
    }

    /// Returns the units that can be reserved.
    pub fn reservable(&self) -> i32 {
        if self.archived { 0 } else { self.available() }
    }

    /// Returns whether the stock is low.
    pub fn is_low(&self) -> bool {
        self.low_stock_threshold > 0 && self.available() <= self.low_stock_threshold
    }
}
