//! What slows down those who guess passwords, and those who fill mailboxes.

use mart_kernel::Timestamp;
use time::Duration;

/// So many cost nothing: people mistype.
const FREE: i32 = 5;
/// The longest wait.
const LONGEST: Duration = Duration::minutes(15);
/// After so long without another one all are forgotten.
const FORGOTTEN: Duration = Duration::hours(1);

/// The failures of an account or of an address that requests come from, or the mails to a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brake {
    /// Whose, or what is counted.
    pub subject: String,
    /// How many.
    pub count: i32,
    /// When the last one was.
    pub last_at: Timestamp,
}

impl Brake {
    /// When the next attempt may be made, where that is after now. The wait begins at a second and doubles.
    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let beyond = self.count - FREE;
        if beyond < 0 {
            return None;
        }
        let wait = Duration::seconds(1_i64 << beyond.min(20)).min(LONGEST);
        let until = Timestamp::new(self.last_at.get() + wait);
        (now < until).then_some(until)
    }

    /// One more.
    #[must_use]
    pub fn counted(self, now: Timestamp) -> Self {
        let forgotten = now.get() - self.last_at.get() >= FORGOTTEN;
        let count = if forgotten { 1 } else { self.count.saturating_add(1) };
        Self { count, last_at: now, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros((1_790_000_000 + seconds) * 1_000_000).expect("in range")
    }

    fn after(count: i32) -> Option<i64> {
        let brake = Brake { subject: "a".to_owned(), count, last_at: at(0) };
        brake.until(at(0)).map(|until| (until.get() - at(0).get()).whole_seconds())
    }

    #[test]
    fn the_wait_begins_after_five_doubles_and_ends_at_a_quarter_of_an_hour() {
        assert_eq!(
            [4, 5, 6, 9, 14, 15, 40].map(after),
            [None, Some(1), Some(2), Some(16), Some(512), Some(900), Some(900)]
        );
    }

    #[test]
    fn who_waited_may_try_again_and_an_hour_forgets() {
        let brake = Brake { subject: "a".to_owned(), count: 6, last_at: at(0) };
        assert_eq!((brake.until(at(1)).is_some(), brake.until(at(2))), (true, None));
        assert_eq!(brake.clone().counted(at(3_599)).count, 7);
        assert_eq!(brake.counted(at(3_600)).count, 1);
    }
}
