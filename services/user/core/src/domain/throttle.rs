//! Throttling of password guesses and of mails to one mailbox.

use std::net::{IpAddr, Ipv6Addr};

use mart_kernel::Timestamp;
use time::Duration;

use super::{Email, ThrottlePolicy};

const NETWORK: &str = "network ";

/// Counts the failed attempts of an account or a network, or the mails to a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttle {
    /// The account, network or mailbox.
    pub subject: String,
    /// The count.
    pub count: i32,
    /// When the count was last increased.
    pub last_at: Timestamp,
}

/// Returns the subject of failed log-ins to an address, with or without an account.
pub fn of_account(email: &Email) -> String {
    format!("account {email}")
}

/// Returns the subject of failed log-ins from a network. IPv6 addresses are grouped by /64, which a single machine owns.
pub fn of_network(from: IpAddr) -> String {
    match from.to_canonical() {
        IpAddr::V4(from) => format!("{NETWORK}{from}"),
        IpAddr::V6(from) => {
            let network = Ipv6Addr::from_bits(from.to_bits() >> 64 << 64);
            format!("{NETWORK}{network}/64")
        }
    }
}

/// Returns the subject of mails to a mailbox, sent or not.
pub fn of_mails(email: &Email) -> String {
    format!("mail to {email}")
}

impl Throttle {
    /// Returns the throttle after a success. The count of an account or mailbox is reset. A network's count is only reduced by the
    /// successful attempt, because an attacker may have a valid account.
    #[must_use]
    pub fn after_success(&self) -> Self {
        if self.subject.starts_with(NETWORK) { self.uncounted() } else { Self { count: 0, ..self.clone() } }
    }

    /// Returns the throttle without its last attempt.
    #[must_use]
    pub fn uncounted(&self) -> Self {
        Self { count: (self.count - 1).max(0), ..self.clone() }
    }

    /// Returns when the next attempt is allowed, if that is later than now. The delay begins at one second and doubles.
    pub fn until(&self, now: Timestamp, policy: &ThrottlePolicy) -> Option<Timestamp> {
        let free = if self.subject.starts_with(NETWORK) { policy.free_per_network } else { policy.free };
        let beyond = self.count - free;
        if beyond < 0 {
            return None;
        }
        let wait = Duration::seconds(1_i64 << beyond.min(20)).min(policy.max_delay);
        let until = Timestamp::new(self.last_at.get() + wait);
        (now < until).then_some(until)
    }

    /// Returns whether the count has expired, because the last attempt was `reset_after` ago or earlier.
    pub fn is_expired(&self, now: Timestamp, policy: &ThrottlePolicy) -> bool {
        now.get() - self.last_at.get() >= policy.reset_after
    }

    /// Returns the throttle with one more attempt.
    #[must_use]
    pub fn counted(self, now: Timestamp, policy: &ThrottlePolicy) -> Self {
        let count = if self.is_expired(now, policy) { 1 } else { self.count.saturating_add(1) };
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
        let throttle = Throttle { subject: "a".to_owned(), count, last_at: at(0) };
        throttle.until(at(0), &ThrottlePolicy::default()).map(|until| (until.get() - at(0).get()).whole_seconds())
    }

    #[test]
    fn the_delay_starts_at_five_doubles_and_is_capped() {
        assert_eq!(
            [4, 5, 6, 9, 14, 15, 40].map(after),
            [None, Some(1), Some(2), Some(16), Some(512), Some(900), Some(900)]
        );
    }

    #[test]
    fn a_network_has_more_free_attempts_and_is_not_reset() {
        let network = of_network("203.0.113.7".parse().expect("an address"));
        let policy = ThrottlePolicy::default();
        let throttle = |count| Throttle { subject: network.clone(), count, last_at: at(0) };
        assert_eq!(
            (throttle(29).until(at(0), &policy).is_some(), throttle(30).until(at(0), &policy).is_some()),
            (false, true)
        );
        assert_eq!(throttle(30).after_success().count, 29, "only the attempt itself is removed");
        let account = Throttle { subject: of_account(&Email::of("a@example.com")), count: 3, last_at: at(0) };
        assert_eq!(account.after_success().count, 0);
    }

    #[test]
    fn ipv6_addresses_are_grouped_by_network() {
        let of = |text: &str| of_network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:203.0.113.7"), of("203.0.113.7"));
    }

    #[test]
    fn a_delay_ends_and_an_hour_resets_the_count() {
        let policy = ThrottlePolicy::default();
        let throttle = Throttle { subject: "a".to_owned(), count: 6, last_at: at(0) };
        assert_eq!((throttle.until(at(1), &policy).is_some(), throttle.until(at(2), &policy)), (true, None));
        assert_eq!(throttle.clone().counted(at(3_599), &policy).count, 7);
        assert_eq!(throttle.counted(at(3_600), &policy).count, 1);
    }
}
