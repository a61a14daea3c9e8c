//! The system clock and UUIDs of version 7, as adapters of the kernel's ports.

use mart_kernel::{Clock, IdGenerator, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

/// Returns the system's time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::new(OffsetDateTime::now_utc())
    }
}

/// Generates UUIDs of version 7 (RFC 9562). They are roughly ordered by time, which keeps indexes compact.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeOrderedIds;

impl IdGenerator for TimeOrderedIds {
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}
