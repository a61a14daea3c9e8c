//! The ledger: every change of a stock item, kept for good.

use mart_kernel::{Cursor, Timestamp};
use uuid::Uuid;

use super::{OrderId, ProductId};

/// The id of a ledger entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerEntryId(pub Uuid);

/// A change of a stock item. The deltas of all entries of an item sum to its stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Its id.
    pub id: LedgerEntryId,
    /// The product.
    pub product: ProductId,
    /// By how much the units in the warehouse changed.
    pub on_hand: i32,
    /// By how much the promised units changed.
    pub reserved: i32,
    /// Why.
    pub cause: Cause,
    /// When.
    pub at: Timestamp,
}

impl LedgerEntry {
    /// Its place in a list.
    pub fn place(&self) -> Cursor {
        Cursor { at: self.at, id: self.id.0 }
    }
}

/// Why a stock item changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Units came in; in the words of who received them.
    Received(String),
    /// An admin corrected the count, for this reason.
    Adjusted(String),
    /// Units were promised to an order.
    Reserved(OrderId),
    /// A promise ended because the order was cancelled.
    Released(OrderId),
    /// A promise ended because its time was over.
    Expired(OrderId),
    /// Units were sold.
    Committed(OrderId),
    /// Sold units were booked back.
    Returned(OrderId),
}

impl Cause {
    /// The order that caused it.
    pub fn order(&self) -> Option<OrderId> {
        match self {
            Self::Received(_) | Self::Adjusted(_) => None,
            Self::Reserved(order)
            | Self::Released(order)
            | Self::Expired(order)
            | Self::Committed(order)
            | Self::Returned(order) => Some(*order),
        }
    }

    /// The words of who did it; empty for what an order caused.
    pub fn reason(&self) -> &str {
        match self {
            Self::Received(reason) | Self::Adjusted(reason) => reason,
            _ => "",
        }
    }
}
