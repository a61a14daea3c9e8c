//! The events of stock items and reservations.

use mart_kernel::Version;
use uuid::Uuid;

use super::{LedgerEntry, Reservation, Shortage, StockItem};

/// An event of inventory. Each has its aggregate, a stock item or a reservation, after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InventoryEvent {
    /// A product has a stock item.
    StockItemCreated(StockItemCreated),
    /// An admin changed the stock item.
    StockAdjusted(StockAdjusted),
    /// The available units fell to the threshold or below.
    StockLow(StockLow),
    /// The current state is published again.
    StockItemRepublished(StockItemRepublished),
    /// All lines of an order are reserved.
    StockReserved(StockReserved),
    /// Nothing is reserved for an order.
    StockRejected(StockRejected),
    /// A reservation expired.
    ReservationExpired(ReservationExpired),
    /// A reservation was released with its order.
    ReservationReleased(ReservationReleased),
    /// The units are sold.
    ReservationCommitted(ReservationCommitted),
    /// The units were returned.
    ReservationReturned(ReservationReturned),
}

/// A product has a stock item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockItemCreated {
    /// The new stock item.
    pub stock_item: StockItem,
}

/// An admin received units, corrected the count or changed the threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockAdjusted {
    /// The stock item after the event.
    pub stock_item: StockItem,
    /// The ledger entry; `None` if only the threshold was changed.
    pub ledger_entry: Option<LedgerEntry>,
}

/// The available units fell to the threshold or below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockLow {
    /// The stock item after the event.
    pub stock_item: StockItem,
}

/// The current state is published again, so that read models can be rebuilt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockItemRepublished {
    /// The stock item.
    pub stock_item: StockItem,
}

/// All lines of an order are reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockReserved {
    /// The reservation.
    pub reservation: Reservation,
}

/// Some lines of an order are short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockRejected {
    /// The reservation.
    pub reservation: Reservation,
    /// The lines that are short.
    pub shortages: Vec<Shortage>,
}

/// A reservation was not committed in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationExpired {
    /// The reservation after the event.
    pub reservation: Reservation,
}

/// The order was cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationReleased {
    /// The reservation after the event.
    pub reservation: Reservation,
}

/// The order was confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationCommitted {
    /// The reservation after the event.
    pub reservation: Reservation,
}

/// A confirmed order was cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationReturned {
    /// The reservation after the event.
    pub reservation: Reservation,
}

impl InventoryEvent {
    /// Returns the id of the product or the order, the key of the event.
    pub fn key(&self) -> Uuid {
        self.aggregate().0
    }

    /// Returns the aggregate's version after the event.
    pub fn version(&self) -> Version {
        self.aggregate().1
    }

    fn aggregate(&self) -> (Uuid, Version) {
        match self {
            Self::StockItemCreated(StockItemCreated { stock_item })
            | Self::StockAdjusted(StockAdjusted { stock_item, .. })
            | Self::StockLow(StockLow { stock_item })
            | Self::StockItemRepublished(StockItemRepublished { stock_item }) => (stock_item.id.0, stock_item.version),
            Self::StockReserved(StockReserved { reservation })
            | Self::StockRejected(StockRejected { reservation, .. })
            | Self::ReservationExpired(ReservationExpired { reservation })
            | Self::ReservationReleased(ReservationReleased { reservation })
            | Self::ReservationCommitted(ReservationCommitted { reservation })
            | Self::ReservationReturned(ReservationReturned { reservation }) => {
                (reservation.order.0, reservation.version)
            }
        }
    }
}
