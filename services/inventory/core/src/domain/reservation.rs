//! Units that are reserved for an order.

use std::collections::BTreeMap;

use mart_kernel::{Timestamp, Version};
use uuid::Uuid;

use super::ProductId;

/// The id of an order, which is that of its reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub Uuid);

/// The quantity of each product. Lines of one product are merged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines(BTreeMap<ProductId, i32>);

impl Lines {
    /// Merges the lines of each product. A quantity that exceeds the number range saturates.
    pub fn of(lines: impl IntoIterator<Item = (ProductId, i32)>) -> Self {
        let mut summed = BTreeMap::new();
        for (product, quantity) in lines {
            let sum: &mut i32 = summed.entry(product).or_default();
            *sum = sum.saturating_add(quantity.max(0));
        }
        Self(summed)
    }

    /// Returns products and quantities, ordered by product id.
    pub fn iter(&self) -> impl Iterator<Item = (ProductId, i32)> + '_ {
        self.0.iter().map(|(product, quantity)| (*product, *quantity))
    }

    /// Returns the products.
    pub fn products(&self) -> impl Iterator<Item = ProductId> + '_ {
        self.0.keys().copied()
    }
}

/// A reservation of all lines of an order, or of none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The order.
    pub order: OrderId,
    /// The number of its events.
    pub version: Version,
    /// The requested lines; empty for an order that was cancelled first.
    pub lines: Lines,
    /// The status.
    pub status: Status,
    /// The number of reinstatements of the order at the last request. Events of an earlier round are ignored.
    pub reservation_round: i32,
    /// Whether the order was cancelled in this round.
    pub closed: bool,
    /// When it was first requested.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The status of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The units are reserved.
    Reserved {
        /// When the reservation expires.
        expires_at: Timestamp,
    },
    /// A line was short.
    Rejected,
    /// The units are sold.
    Committed,
    /// The order was cancelled.
    Released,
    /// The reservation expired.
    Expired,
    /// The units were sold and returned.
    Returned,
}

/// A line that cannot be reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// The product.
    pub product: ProductId,
    /// The requested units.
    pub requested: i32,
    /// The units that could be reserved.
    pub available: i32,
}
