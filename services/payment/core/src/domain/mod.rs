//! Payments: the money of an order, how it is asked for, what comes in and what goes back.
//!
//! [`Account`] is all that is known of one order's money; [`Books`] is where it is decided: an account is opened, changed by one
//! step and closed, which gives all that has to be kept and told.

mod account;
mod books;
pub mod fact;
mod policy;
mod provider;

pub use account::{
    Account, Attempt, AttemptId, AttemptStatus, Checkout, CustomerId, OrderId, Payer, Refund, RefundId, RefundStatus,
    Status, Task, TaskId, Transaction, TransactionId, TransactionKind,
};
pub use books::{Books, Change, Heard, RefundRefused, StartRefused};
pub use fact::Fact;
pub use policy::Policy;
pub use provider::{About, Callback, CallbackId, News, Provider, Routing, Rule, What};
