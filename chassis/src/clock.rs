//! The machine's clock and ids of RFC 9562, behind the kernel's ports.

use mart_kernel::{Clock, Ids, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

/// Tells the time of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::new(OffsetDateTime::now_utc())
    }
}

/// Makes UUIDs of version 7: unique, and roughly in the order of time, which keeps indexes compact.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeOrderedIds;

impl Ids for TimeOrderedIds {
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}
