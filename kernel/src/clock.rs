//! Business time is a parameter: a core asks its [`Clock`], never the machine.

use time::OffsetDateTime;

/// A point in time in UTC with the precision that the database keeps: one microsecond.
///
/// Two stores can only agree on a value that both can hold, so the precision is cut when a clock is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    /// Converts to UTC and cuts what is finer than a microsecond.
    pub fn new(at: OffsetDateTime) -> Self {
        let at = at.to_offset(time::UtcOffset::UTC);
        let micros = at.nanosecond() / 1_000 * 1_000;
        Self(at.replace_nanosecond(micros).unwrap_or(at))
    }

    /// The same moment as a date and time of the `time` crate, always in UTC.
    pub fn get(self) -> OffsetDateTime {
        self.0
    }

    /// Microseconds since 1970-01-01T00:00:00Z, negative before it.
    pub fn unix_micros(self) -> i64 {
        i64::try_from(self.0.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
    }

    /// The moment that many microseconds after 1970-01-01T00:00:00Z; `None` beyond the years that `time` can hold.
    pub fn from_unix_micros(micros: i64) -> Option<Self> {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).ok().map(Self)
    }
}

/// The port that tells the time.
pub trait Clock: Send + Sync {
    /// Now, by this clock.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still until a test moves it.
#[cfg(feature = "testing")]
#[derive(Debug)]
pub struct ManualClock(std::sync::Mutex<Timestamp>);

#[cfg(feature = "testing")]
impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self(std::sync::Mutex::new(start))
    }

    /// Moves the clock forward.
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
    fn a_timestamp_keeps_microseconds_and_drops_what_is_finer() {
        let nanos = 1_700_000_000_123_456_789_i128;
        let at = Timestamp::new(OffsetDateTime::from_unix_timestamp_nanos(nanos).expect("in range"));
        assert_eq!(at.unix_micros(), 1_700_000_000_123_456);
        assert_eq!(Timestamp::from_unix_micros(at.unix_micros()), Some(at));
    }

    #[cfg(feature = "testing")]
    #[test]
    fn a_manual_clock_moves_when_it_is_told_to() {
        let start = Timestamp::from_unix_micros(0).expect("in range");
        let clock = ManualClock::new(start);
        clock.advance(time::Duration::SECOND);
        assert_eq!((clock.now().unix_micros(), clock.now()), (1_000_000, clock.now()));
    }
}
