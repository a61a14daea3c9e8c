//! What can have happened to stock and reservations.

use mart_kernel::Version;
use uuid::Uuid;

use super::{LedgerEntry, Reservation, Shortage, StockItem};

/// Something that happened; each event carries its aggregate as it is after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InventoryEvent {
    /// A product has a stock item.
    StockItemCreated(StockItemCreated),
    /// An admin changed it.
    StockAdjusted(StockAdjusted),
    /// It fell to its threshold or below.
    StockLow(StockLow),
    /// Its state is told again.
    StockItemRepublished(StockItemRepublished),
    /// All lines of an order are promised.
    StockReserved(StockReserved),
    /// Nothing is promised to an order.
    StockRejected(StockRejected),
    /// A promise was not used in time.
    ReservationExpired(ReservationExpired),
    /// A promise ended with its order.
    ReservationReleased(ReservationReleased),
    /// The units are sold.
    ReservationCommitted(ReservationCommitted),
    /// The units are back.
    ReservationReturned(ReservationReturned),
}

/// A product has a stock item now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockItemCreated {
    /// The new item.
    pub stock_item: StockItem,
}

/// An admin received units, corrected the count or moved the threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockAdjusted {
    /// The item after it.
    pub stock_item: StockItem,
    /// What was booked; nothing where only the threshold was moved.
    pub ledger_entry: Option<LedgerEntry>,
}

/// The available units fell to the threshold or below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockLow {
    /// The item after it.
    pub stock_item: StockItem,
}

/// Nothing happened: the state is told again, so that read models can be rebuilt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockItemRepublished {
    /// The item as it is.
    pub stock_item: StockItem,
}

/// All lines of an order are promised to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockReserved {
    /// The reservation.
    pub reservation: Reservation,
}

/// Some lines of an order shortage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockRejected {
    /// The reservation.
    pub reservation: Reservation,
    /// The lines that shortage.
    pub shortages: Vec<Shortage>,
}

/// A promise was not used in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationExpired {
    /// The reservation after it.
    pub reservation: Reservation,
}

/// The order was cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationReleased {
    /// The reservation after it.
    pub reservation: Reservation,
}

/// The order was confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationCommitted {
    /// The reservation after it.
    pub reservation: Reservation,
}

/// A confirmed order was cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservationReturned {
    /// The reservation after it.
    pub reservation: Reservation,
}

impl InventoryEvent {
    /// The id of its product or of the order that the reservation is for: events of one id keep their order.
    pub fn key(&self) -> Uuid {
        self.aggregate().0
    }

    /// The version of its aggregate after it.
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
