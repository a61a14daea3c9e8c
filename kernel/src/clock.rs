//! Business time: a core reads its [`Clock`] port, never the machine's clock.

use time::OffsetDateTime;

/// A point in time in UTC with the database's precision, one microsecond.
///
/// Finer digits are cut when a clock is read, so that every store returns the value that it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    /// Converts to UTC and truncates to microseconds.
    pub fn new(at: OffsetDateTime) -> Self {
        let at = at.to_offset(time::UtcOffset::UTC);
        let micros = at.nanosecond() / 1_000 * 1_000;
        Self(at.replace_nanosecond(micros).unwrap_or(at))
    }

    /// Returns the point in time as a date and time of the `time` crate, in UTC.
    pub fn get(self) -> OffsetDateTime {
        self.0
    }

    /// Returns the microseconds since 1970-01-01T00:00:00Z, negative before it.
    pub fn unix_micros(self) -> i64 {
        i64::try_from(self.0.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
    }

    /// Returns the point in time that many microseconds after 1970-01-01T00:00:00Z, or `None` if `time` cannot represent it.
    pub fn from_unix_micros(micros: i64) -> Option<Self> {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).ok().map(Self)
    }
}

/// The port that returns the current time.
pub trait Clock: Send + Sync {
    /// Returns the current time of this clock.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still until a test advances it.
#[cfg(feature = "testing")]
#[derive(Debug)]
pub struct ManualClock(std::sync::Mutex<Timestamp>);

#[cfg(feature = "testing")]
impl ManualClock {
    /// Creates a clock that is set to `start`.
    pub fn new(start: Timestamp) -> Self {
        Self(std::sync::Mutex::new(start))
    }

    /// Advances the clock.
    pub fn advance(&self, by: time::Duration) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = Timestamp::new(now.get() + by);
    }
}

#[cfg(feature = "testing")]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_truncated_to_microseconds() {
        let nanos = 1_700_000_000_123_456_789_i128;
        let at = Timestamp::new(OffsetDateTime::from_unix_timestamp_nanos(nanos).expect("in range"));
        assert_eq!(at.unix_micros(), 1_700_000_000_123_456);
        assert_eq!(Timestamp::from_unix_micros(at.unix_micros()), Some(at));
    }

    #[cfg(feature = "testing")]
    #[test]
    fn a_manual_clock_moves_only_when_advanced() {
        let start = Timestamp::from_unix_micros(0).expect("in range");
        let clock = ManualClock::new(start);
        clock.advance(time::Duration::SECOND);
        assert_eq!((clock.now().unix_micros(), clock.now()), (1_000_000, clock.now()));
    }
}
