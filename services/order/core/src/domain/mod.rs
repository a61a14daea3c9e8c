//! An order, its life, and what it is made of.

pub mod fact;
mod order;
mod quote;
pub mod table;
pub mod timeline;

pub use fact::Fact;
pub use order::{
    Address, Contact, CustomerId, Line, MAX_QUANTITY, Order, OrderId, Payment, ProductId, Shipment, Status, StatusKind,
    Stopped, Why,
};
pub use quote::{KnownProduct, Quote, QuoteError, Refusal, RejectedLine, Wanted};
pub use timeline::Entry;
