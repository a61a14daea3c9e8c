//! The payment of an order, its transitions and its providers.
//!
//! [`Account`] has everything about one order's payment. [`PaymentDecider`] decides its changes: it begins with a payment, applies
//! one step and returns what has to be stored and published.

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
