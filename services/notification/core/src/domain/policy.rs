//! The retries of messages.

use time::Duration;

/// The operator's settings for retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The pause after the first failed attempt. Each pause is twice the previous one.
    pub backoff: Duration,
    /// The longest pause.
    pub max_backoff: Duration,
    /// The age at which a message fails.
    pub max_age: Duration,
    /// The time for which a replica claims a message. Then another one may send it, so it is longer than any sender's timeout.
    pub lease: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            backoff: Duration::seconds(10),
            max_backoff: Duration::hours(1),
            max_age: Duration::hours(24),
            lease: Duration::minutes(2),
        }
    }
}
