//! How often somebody may come in a minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::http::{Response, StatusCode};

use super::answer::{set, traced};

const WINDOW: u64 = 60;

/// What was counted in the minute that runs: Kong's windows begin with the clock's minutes.
#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    nth: u64,
    /// By route and by who it is.
    counts: HashMap<(String, String), u64>,
}

/// What is left of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    limit: u64,
    remaining: Option<u64>,
    reset: u64,
}

impl Counters {
    /// Counts a request of somebody on a route, unless there were enough.
    pub(super) fn count(&self, route: &str, who: &str, limit: u64, now: u64) -> Left {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counters.nth != now / WINDOW {
            *counters = Window { nth: now / WINDOW, counts: HashMap::new() };
        }
        let count = counters.counts.entry((route.to_owned(), who.to_owned())).or_default();
        let remaining = limit.checked_sub(*count + 1);
        if remaining.is_some() {
            *count += 1;
        }
        Left { limit, remaining, reset: WINDOW - now % WINDOW }
    }
}

impl Left {
    /// The answer to who came too often.
    pub(super) fn refusal(self) -> Option<Response<Body>> {
        if self.remaining.is_some() {
            return None;
        }
        let mut response = traced(StatusCode::TOO_MANY_REQUESTS, "API rate limit exceeded");
        set(&mut response, "Retry-After", &self.reset.to_string());
        Some(response)
    }

    /// Tells what is left.
    pub(super) fn tell(self, response: &mut Response<Body>) {
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
    fn a_limit_is_of_a_route_of_somebody_and_of_a_minute() {
        let counters = Counters::default();
        let refused = |who: &str, route: &str, now| counters.count(route, who, 2, now).refusal().is_some();
        assert_eq!([600, 601, 602].map(|now| refused("a", "one", now)), [false, false, true]);
        assert!(!refused("b", "one", 602) && !refused("a", "two", 602));
        assert!(refused("a", "one", 659) && !refused("a", "one", 660));
    }

    #[test]
    fn what_is_refused_does_not_count() {
        let counters = Counters::default();
        let left = [1, 2, 3, 4].map(|_| counters.count("one", "a", 2, 600).remaining);
        assert_eq!(left, [Some(1), Some(0), None, None]);
    }
}
