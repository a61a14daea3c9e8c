//! Rate limits per minute, as Kong's plugin `rate-limiting` has them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::http::{Response, StatusCode};

use super::answer::{error, set};

/// The length of a window in seconds.
const WINDOW: u64 = 60;

/// The counters of the current window. As in Kong, windows begin with the clock's minutes.
#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    /// The number of the window since 1970.
    nth: u64,
    /// The counts by route and client.
    counts: HashMap<(String, String), u64>,
}

/// The state of a client's limit after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LimitStatus {
    limit: u64,
    /// The number of further requests; `None` if this request exceeded the limit.
    remaining: Option<u64>,
    /// The seconds until the window ends.
    reset: u64,
}

impl Counters {
    /// Counts a client's request on a route, unless it exceeds the limit. `now` is in seconds since 1970.
    pub(super) fn count(&self, route: &str, client: &str, limit: u64, now: u64) -> LimitStatus {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counters.nth != now / WINDOW {
            *counters = Window { nth: now / WINDOW, counts: HashMap::new() };
        }
        let count = counters.counts.entry((route.to_owned(), client.to_owned())).or_default();
        let remaining = limit.checked_sub(*count + 1);
        if remaining.is_some() {
            *count += 1;
        }
        LimitStatus { limit, remaining, reset: WINDOW - now % WINDOW }
    }
}

impl LimitStatus {
    /// Returns the error response if the limit is exceeded.
    pub(super) fn rejection(self) -> Option<Response<Body>> {
        if self.remaining.is_some() {
            return None;
        }
        let mut response = error(StatusCode::TOO_MANY_REQUESTS, "API rate limit exceeded");
        set(&mut response, "Retry-After", &self.reset.to_string());
        Some(response)
    }

    /// Sets the headers that report the limit to the client.
    pub(super) fn set_headers(self, response: &mut Response<Body>) {
        let (limit, remaining) = (self.limit.to_string(), self.remaining.unwrap_or(0).to_string());
        set(response, "RateLimit-Limit", &limit);
        set(response, "RateLimit-Remaining", &remaining);
        set(response, "RateLimit-Reset", &self.reset.to_string());
        set(response, "X-RateLimit-Limit-Minute", &limit);
        set(response, "X-RateLimit-Remaining-Minute", &remaining);
    }
}

#[cfg(test)]
mod tests {
    use super::Counters;

    #[test]
    fn a_limit_is_per_client_route_and_minute() {
        let counters = Counters::default();
        let rejected = |client: &str, route: &str, now| counters.count(route, client, 2, now).rejection().is_some();
        assert_eq!([600, 601, 602].map(|now| rejected("a", "one", now)), [false, false, true]);
        assert!(!rejected("b", "one", 602) && !rejected("a", "two", 602));
        assert!(rejected("a", "one", 659) && !rejected("a", "one", 660));
    }

    #[test]
    fn rejected_requests_do_not_count() {
        let counters = Counters::default();
        let left = [1, 2, 3, 4].map(|_| counters.count("one", "a", 2, 600).remaining);
        assert_eq!(left, [Some(1), Some(0), None, None]);
    }
}
