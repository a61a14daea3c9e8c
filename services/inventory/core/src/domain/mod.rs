//! Stock, what is promised of it, and how it came to be so.
//!
//! [`Books`] is where it is decided: the rows that a decision is about are opened, changed by one step and closed, which
//! gives all that has to be kept.

mod books;
pub mod fact;
mod ledger;
mod reservation;
mod stock_item;

pub use books::{Books, Change, Refused};
pub use fact::Fact;
pub use ledger::{Cause, LedgerEntry, LedgerEntryId};
pub use reservation::{Shortage, Lines, OrderId, Reservation, Status};
pub use stock_item::{MOST, ProductId, StockItem};
