//! How letters are tried.

use time::Duration;

/// What an operator may set otherwise; the defaults are the mart's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How long to wait after a first try that failed; doubled each time.
    pub backoff: Duration,
    /// Between two tries at most.
    pub max_backoff: Duration,
    /// After so long nobody wants to be told any more: it is given up.
    pub max_age: Duration,
    /// Whoever sends a letter has so long to do it; then somebody else tries. Longer than any courier waits for a server.
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
