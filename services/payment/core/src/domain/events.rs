//! What can have happened.

use mart_kernel::{Money, Version};
use uuid::Uuid;

use super::{Account, AttemptId, OrderId, Provider};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentEvent {
    /// Money for an order has come in.
    PaymentCaptured(PaymentCaptured),
    /// One attempt to pay has failed.
    PaymentFailed(PaymentFailed),
    /// Money went back.
    PaymentRefunded(PaymentRefunded),
    /// A person has to decide.
    PaymentReviewRequired(PaymentReviewRequired),
    /// Nothing: the state is told again.
    PaymentRepublished(PaymentRepublished),
}

/// Money for an order has come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentCaptured {
    /// The order.
    pub order: OrderId,
    /// The attempt that it came in by.
    pub attempt: AttemptId,
    /// How much.
    pub amount: Money,
    /// Who took it.
    pub provider: Provider,
}

/// One attempt to pay has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFailed {
    /// The order.
    pub order: OrderId,
    /// The attempt.
    pub attempt: AttemptId,
    /// Why, in words for the customer.
    pub reason: String,
}

/// Money went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRefunded {
    /// The order.
    pub order: OrderId,
    /// The attempt that it had come in by.
    pub attempt: AttemptId,
    /// How much.
    pub amount: Money,
}

/// A person has to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentReviewRequired {
    /// The order.
    pub order: OrderId,
    /// The attempt that it is about.
    pub attempt: AttemptId,
    /// What does not fit, in words for the operator.
    pub reason: String,
}

/// The state, told again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRepublished {
    /// As it is.
    pub account: Box<Account>,
}

impl PaymentEvent {
    /// The id of its order: events of one order keep their order.
    pub fn key(&self) -> Uuid {
        match self {
            Self::PaymentCaptured(PaymentCaptured { order, .. })
            | Self::PaymentFailed(PaymentFailed { order, .. })
            | Self::PaymentRefunded(PaymentRefunded { order, .. })
            | Self::PaymentReviewRequired(PaymentReviewRequired { order, .. }) => order.0,
            Self::PaymentRepublished(PaymentRepublished { account }) => account.order.0,
        }
    }
}

/// A event at its place in the account's history.
pub(super) type Placed = (Version, PaymentEvent);
