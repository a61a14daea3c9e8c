//! The retries of events, with their defaults and bounds.

use std::time::Duration;

use super::reader::{MIN_DURATION, SettingsReader, UP_TO_A_DAY};

/// How the inbox retries an event before it becomes a dead letter.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// `INBOX_MAX_BACKOFF`: the longest pause between two attempts.
    pub max_backoff: Duration,
    /// `INBOX_MAX_ATTEMPTS`: the number of attempts after which the event becomes a dead letter.
    pub max_attempts: u32,
    /// `INBOX_LEASE`: the time for which a replica reserves a pending record. The record of a killed replica is retried after it.
    pub lease: Duration,
    /// `INBOX_MAX_AGE`: the age at which the event becomes a dead letter.
    pub max_age: Duration,
}

impl Retries {
    /// Reads the settings of retries.
    pub(super) fn read(env: &mut SettingsReader) -> Self {
        Self {
            max_backoff: env.duration("INBOX_MAX_BACKOFF", UP_TO_A_DAY, Duration::from_mins(10)),
            lease: env.duration(
                "INBOX_LEASE",
                Duration::from_secs(1)..=Duration::from_hours(1),
                Duration::from_mins(1),
            ),
            max_attempts: env.parsed("INBOX_MAX_ATTEMPTS", "a number from 2 to 1000", 20, |n| (2..=1000).contains(n)),
            // Well below the retention of receipts of events.
            max_age: env.duration(
                "INBOX_MAX_AGE",
                MIN_DURATION..=Duration::from_hours(7 * 24),
                Duration::from_hours(24),
            ),
        }
    }
}
