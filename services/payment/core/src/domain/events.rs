//! The events of a payment.

use mart_kernel::{Money, Version};
use uuid::Uuid;

use super::{Account, AttemptId, OrderId, Provider};

/// An event of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentEvent {
    /// Money was captured for an order.
    PaymentCaptured(PaymentCaptured),
    /// An attempt to pay failed.
    PaymentFailed(PaymentFailed),
    /// Money was refunded.
    PaymentRefunded(PaymentRefunded),
    /// An operator has to decide.
    PaymentReviewRequired(PaymentReviewRequired),
    /// The current state is published again.
    PaymentRepublished(PaymentRepublished),
}

/// Money was captured for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentCaptured {
    /// The order.
    pub order: OrderId,
    /// The attempt.
    pub attempt: AttemptId,
    /// The amount.
    pub amount: Money,
    /// The provider.
    pub provider: Provider,
}

/// An attempt to pay failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFailed {
    /// The order.
    pub order: OrderId,
    /// The attempt.
    pub attempt: AttemptId,
    /// The reason, for the customer.
    pub reason: String,
}

/// Money was refunded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRefunded {
    /// The order.
    pub order: OrderId,
    /// The attempt of the captured money.
    pub attempt: AttemptId,
    /// The amount.
    pub amount: Money,
}

/// An operator has to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentReviewRequired {
    /// The order.
    pub order: OrderId,
    /// The attempt.
    pub attempt: AttemptId,
    /// The discrepancy, in words for the operator.
    pub reason: String,
}

/// The current state is published again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRepublished {
    /// The payment.
    pub account: Box<Account>,
}

impl PaymentEvent {
    /// Returns the order's id, the key of the events.
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

/// An event with its version.
pub(super) type VersionedEvent = (Version, PaymentEvent);
