//! The ledger: every change of a stock item, append-only.

use mart_kernel::{Cursor, Timestamp};
use uuid::Uuid;

use super::{OrderId, ProductId};

/// The id of a ledger entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerEntryId(pub Uuid);

/// A change of a stock item. The deltas of all entries of an item sum to its stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The entry's id.
    pub id: LedgerEntryId,
    /// The product.
    pub product: ProductId,
    /// The change of units in the warehouse.
    pub on_hand: i32,
    /// The change of reserved units.
    pub reserved: i32,
    /// The cause.
    pub cause: Cause,
    /// When it happened.
    pub at: Timestamp,
}

impl LedgerEntry {
    /// Returns the position in a list.
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.at, id: self.id.0 }
    }
}

/// The cause of a change of a stock item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Units were received, with the admin's note.
    Received(String),
    /// An admin corrected the count, for this reason.
    Adjusted(String),
    /// Units were reserved for an order.
    Reserved(OrderId),
    /// The order was cancelled.
    Released(OrderId),
    /// The reservation expired.
    Expired(OrderId),
    /// Units were sold.
    Committed(OrderId),
    /// Sold units were returned.
    Returned(OrderId),
}

impl Cause {
    /// Returns the order that caused it.
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

    /// Returns the admin's reason; empty if an order caused it.
    pub fn reason(&self) -> &str {
        match self {
            Self::Received(reason) | Self::Adjusted(reason) => reason,
            _ => "",
        }
    }
}
