//! Lifetimes and limits.

use time::Duration;

/// The settings of an operator; the defaults are the mart's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The validity of a provider's checkout.
    pub checkout_ttl: Duration,
    /// The time after which an attempt is polled.
    pub poll_delay: Duration,
    /// The time after which an unanswered refund is sent again.
    pub refund_retry_delay: Duration,
    /// The first pause before an unmatched callback is processed again. It also keeps two replicas from processing one at once.
    pub callback_retry_delay: Duration,
    /// The largest number of attempts per order.
    pub max_attempts: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            checkout_ttl: Duration::minutes(30),
            poll_delay: Duration::minutes(5),
            refund_retry_delay: Duration::minutes(1),
            callback_retry_delay: Duration::seconds(1),
            max_attempts: 20,
        }
    }
}
