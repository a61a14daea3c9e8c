//! Stock items, reservations and the ledger.
//!
//! [`StockDecider`] decides their changes: it begins with the locked rows, applies one step and returns what has to be stored and
//! published.

mod decider;
pub mod events;
mod ledger;
mod reservation;
mod stock_item;

pub use decider::{Change, StockChangeError, StockDecider};
pub use events::InventoryEvent;
pub use ledger::{Cause, LedgerEntry, LedgerEntryId};
pub use reservation::{Lines, OrderId, Reservation, Shortage, Status};
pub use stock_item::{MAX_UNITS, ProductId, StockItem};
