//! How long things last, and how much is too much.

use time::Duration;

use super::Purpose;

/// What an operator may set otherwise; the defaults are the mart's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How long a session ttl, whatever is done with it.
    pub session: Duration,
    /// For so long after its exchange a refresh token may come again: two tabs of one browser that wake up together both have it.
    pub grace: Duration,
    /// How long a link is good that proves a mailbox.
    pub verify_link: Duration,
    /// How long a link is good that resets a password.
    pub reset_link: Duration,
    /// What slows guessers down.
    pub throttle: ThrottlePolicy,
}

/// How failures slow down who makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottlePolicy {
    /// So many cost nothing: people mistype.
    pub free: i32,
    /// So many from one address of the network cost nothing: a whole office may be behind it.
    pub free_per_network: i32,
    /// The max_delay wait.
    pub max_delay: Duration,
    /// After so long without another one all are reset_after.
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
    /// How long a link is good.
    pub fn link(&self, purpose: Purpose) -> Duration {
        match purpose {
            Purpose::Verify => self.verify_link,
            Purpose::Reset => self.reset_link,
        }
    }
}
