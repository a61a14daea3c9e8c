//! How long things last, and how much is too much.

use time::Duration;

/// What an operator may set otherwise; the defaults are the mart's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// A provider's checkout ends by itself after so long.
    pub checkout_ttl: Duration,
    /// How long until a provider is asked about an attempt that it says nothing of.
    pub poll_delay: Duration,
    /// How long until a provider is asked again for a refund that it did not answer.
    pub refund_retry_delay: Duration,
    /// A callback that could not be heard when it came waits so long before it is tried again, so that two don't try at once.
    pub callback_retry_delay: Duration,
    /// The most attempts of one order.
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
