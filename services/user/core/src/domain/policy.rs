//! Lifetimes and limits.

use time::Duration;

use super::Purpose;

/// The settings of an operator; the defaults are the mart's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The validity of a session.
    pub session: Duration,
    /// The time after its exchange in which a refresh token may be reused, because two tabs may send it at once.
    pub grace: Duration,
    /// The validity of a verification link.
    pub verify_link: Duration,
    /// The validity of a reset link.
    pub reset_link: Duration,
    /// The throttling of attempts.
    pub throttle: ThrottlePolicy,
}

/// The throttling of failed attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottlePolicy {
    /// Attempts without a delay.
    pub free: i32,
    /// Attempts of a network without a delay. A whole office may share it.
    pub free_per_network: i32,
    /// The longest delay.
    pub max_delay: Duration,
    /// The time without a failure after which the count is reset.
    pub reset_after: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            session: Duration::days(30),
            grace: Duration::seconds(10),
            verify_link: Duration::hours(1),
            reset_link: Duration::minutes(30),
            throttle: ThrottlePolicy::default(),
        }
    }
}

impl Default for ThrottlePolicy {
    fn default() -> Self {
        Self { free: 5, free_per_network: 30, max_delay: Duration::minutes(15), reset_after: Duration::hours(1) }
    }
}

impl Policy {
    /// Returns the validity of a link.
    pub fn link(&self, purpose: Purpose) -> Duration {
        match purpose {
            Purpose::Verify => self.verify_link,
            Purpose::Reset => self.reset_link,
        }
    }
}
