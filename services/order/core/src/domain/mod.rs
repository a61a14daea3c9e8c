//! The order, its transitions, its prices and its timeline.

pub mod events;
mod order;
mod quote;
pub mod state_machine;
pub mod timeline;

pub use events::OrderEvent;
pub use order::{
    Address, CancelReason, Contact, CustomerId, Line, MAX_QUANTITY, Order, OrderId, Payment, ProductId, Shipment,
    Status, StatusKind, TransitionError,
};
pub use quote::{CatalogProduct, LineRejectionReason, Quote, QuoteError, RejectedLine, RequestedLine};
pub use timeline::TimelineEntry;
