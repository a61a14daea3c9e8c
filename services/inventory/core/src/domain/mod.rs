//! Stock, what is promised of it, and how it came to be so.
//!
//! [`StockDecider`] is where it is decided: the rows that a decision is about are opened, changed by one step and closed, which
//! gives all that has to be kept.

mod decider;
pub mod events;
mod ledger;
mod reservation;
mod stock_item;

pub use decider::{Change, Refused, StockDecider};
pub use events::InventoryEvent;
pub use ledger::{Cause, LedgerEntry, LedgerEntryId};
pub use reservation::{Lines, OrderId, Reservation, Shortage, Status};
pub use stock_item::{MOST, ProductId, StockItem};
