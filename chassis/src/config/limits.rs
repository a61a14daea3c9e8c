//! The limits of requests, with their defaults and bounds.

use std::time::Duration;

use super::reader::{SettingsReader, UP_TO_A_DAY};

/// The limits of requests, and the proxies in front.
#[derive(Debug, Clone)]
pub struct Limits {
    /// `HTTP_MAX_HEADER_BYTES`: the size of all headers together.
    pub header_bytes: usize,
    /// `HTTP_MAX_BODY_BYTES`: the size of a body.
    pub body_bytes: usize,
    /// `HTTP_TIMEOUT`: the time for a whole request.
    pub timeout: Duration,
    /// `HTTP_MAX_CONCURRENT_REQUESTS`: the number of concurrent requests. Further ones are rejected.
    pub concurrent_requests: usize,
    /// `HTTP_MAX_CONNECTIONS`: the number of connections. Further ones wait to be accepted.
    pub connections: usize,
    /// `HTTP_TRUSTED_PROXY_HOPS`: the number of proxies in front that append to X-Forwarded-For. With 0 the header is ignored.
    pub trusted_proxy_hops: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 16 * 1024,
            body_bytes: 1024 * 1024,
            timeout: Duration::from_secs(10),
            concurrent_requests: 512,
            connections: 4096,
            trusted_proxy_hops: 0,
        }
    }
}

impl Limits {
    /// Reads the limits, and uses the default of each that is missing.
    pub(super) fn read(env: &mut SettingsReader) -> Self {
        let limits = Self::default();
        Self {
            header_bytes: env.parsed("HTTP_MAX_HEADER_BYTES", "bytes, 1024 to 65536", limits.header_bytes, |n| {
                (1024..=65_536).contains(n)
            }),
            body_bytes: env.parsed("HTTP_MAX_BODY_BYTES", "bytes, at least 1", limits.body_bytes, |n| *n > 0),
            timeout: env.duration("HTTP_TIMEOUT", UP_TO_A_DAY, limits.timeout),
            concurrent_requests: env.parsed(
                "HTTP_MAX_CONCURRENT_REQUESTS",
                "a number above 0",
                limits.concurrent_requests,
                |n| *n > 0,
            ),
            connections: env.parsed("HTTP_MAX_CONNECTIONS", "a number above 0", limits.connections, |n| *n > 0),
            trusted_proxy_hops: env.parsed(
                "HTTP_TRUSTED_PROXY_HOPS",
                "a number from 0 to 10",
                limits.trusted_proxy_hops,
                |n| *n <= 10,
            ),
        }
    }
}
