//! What there is of one product.

use mart_kernel::{Cursor, Timestamp, Version};
use uuid::Uuid;

/// The id of a product, which is that of its stock item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductId(pub Uuid);

/// More units of one product than this are never kept.
pub const MOST: i32 = 1_000_000_000;

/// The stock of one product: `0 <= reserved <= on_hand <= MOST` at all times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockItem {
    /// The product.
    pub id: ProductId,
    /// Counts the item's own events; what orders do to it raises it only where the stock gets low.
    pub version: Version,
    /// The version of the product that was last heard of.
    pub product_version: Version,
    /// Units in the warehouse.
    pub on_hand: i32,
    /// Units in the warehouse that are promised to orders.
    pub reserved: i32,
    /// At so many available units or fewer the stock is low; 0 for never.
    pub low_stock_threshold: i32,
    /// Whether nothing more of it is promised.
    pub archived: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl StockItem {
    /// The stock of a new product: nothing.
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

    /// Its place in a list.
    pub fn place(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id.0 }
    }

    /// Units that are in the warehouse and not promised.
    pub fn available(&self) -> i32 {
        self.on_hand - self.reserved
    }

    /// Units that can be promised to an order now.
    pub fn promisable(&self) -> i32 {
        if self.archived { 0 } else { self.available() }
    }

    /// Whether somebody should order more of it.
    pub fn is_low(&self) -> bool {
        self.low_stock_threshold > 0 && self.available() <= self.low_stock_threshold
    }
}
