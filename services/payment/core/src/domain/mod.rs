//! Payments: the money of an order, how it is asked for, what comes in and what goes back.
//!
//! [`Account`] is all that is known of one order's money; [`PaymentDecider`] is where it is decided: an account is opened, changed by one
//! step and closed, which gives all that has to be kept and told.

mod account;
mod decider;
pub mod events;
mod policy;
mod provider;

pub use account::{
    Account, Attempt, AttemptId, AttemptStatus, Checkout, CustomerId, OrderId, Payer, Refund, RefundId, RefundStatus,
    Status, Task, TaskId, Transaction, TransactionId, TransactionKind,
};
pub use decider::{Change, Match, PaymentDecider, RefundRejection, StartRejection};
pub use events::PaymentEvent;
pub use policy::Policy;
pub use provider::{Callback, CallbackId, Provider, ProviderEvent, ProviderEventKind, Routing, Rule, Subject};
