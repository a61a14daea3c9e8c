//! Units that are promised to an order.

use std::collections::BTreeMap;

use mart_kernel::{Timestamp, Version};
use uuid::Uuid;

use super::ProductId;

/// The id of an order, which is that of its reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub Uuid);

/// How many units of each product: lines of one product are one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines(BTreeMap<ProductId, i32>);

impl Lines {
    /// Sums the lines of one product. A sum that no stock could ever have stays at the largest number.
    pub fn of(lines: impl IntoIterator<Item = (ProductId, i32)>) -> Self {
        let mut summed = BTreeMap::new();
        for (product, quantity) in lines {
            let sum: &mut i32 = summed.entry(product).or_default();
            *sum = sum.saturating_add(quantity.max(0));
        }
        Self(summed)
    }

    /// Products and quantities, in the order of the products' ids.
    pub fn iter(&self) -> impl Iterator<Item = (ProductId, i32)> + '_ {
        self.0.iter().map(|(product, quantity)| (*product, *quantity))
    }

    /// The products.
    pub fn products(&self) -> impl Iterator<Item = ProductId> + '_ {
        self.0.keys().copied()
    }
}

/// All units of an order, or none. Each step of its life is taken once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The order.
    pub order: OrderId,
    /// Counts its events.
    pub version: Version,
    /// What was asked for; nothing for an order that was cancelled before that.
    pub lines: Lines,
    /// Where it is in its life.
    pub status: Status,
    /// How often the order had been reinstated when this was last asked for: what came of an earlier round is old.
    pub reservation_round: i32,
    /// Whether the order was cancelled in this round.
    pub closed: bool,
    /// When it was first asked for.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Where a reservation is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Promised.
    Reserved {
        /// Until then.
        expires_at: Timestamp,
    },
    /// Refused: a line lacked.
    Rejected,
    /// Sold.
    Committed,
    /// Ended because the order was cancelled.
    Released,
    /// Ended because its time was over.
    Expired,
    /// Sold, and booked back.
    Returned,
}

/// A line that can't be promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// The product.
    pub product: ProductId,
    /// How many units were asked for.
    pub requested: i32,
    /// How many could be promised.
    pub available: i32,
}
