//! Mails: no message is pending for long, and each event that causes a mail causes exactly one.

use std::collections::{BTreeMap, BTreeSet};

use devstack::call::KafkaEvent;

/// Invariants of notification's database: the rule and a query of its violations.
pub(super) const CHECKS: [(&str, &str); 1] = [(
    "no message is pending for long",
    "select format('%s by %s about %s: %s', kind, channel, subject, failure) from notification \
     where status = 'pending' and created_at < now() - interval '10 seconds'",
)];

/// The number of mails for each order and kind.
pub(super) const MAILS: &str = "select order_id::text, kind, count(*)::text from notification \
     where channel = 'mail' and order_id is not null group by order_id, kind";

/// Returns a violation unless there is exactly one mail for each event that causes one.
pub(super) fn violations(
    orders: &BTreeMap<String, String>,
    history: &[KafkaEvent],
    mails: Vec<(String, String, String)>,
) -> Vec<String> {
    let has_mailbox = |order: &str| orders.get(order).is_some_and(|email| !matches!(email.as_str(), "" | "old"));
    let mut mailed = BTreeSet::new();
    for event in history.iter().filter(|event| has_mailbox(&event.key)) {
        if let Some(kind) = mail_of(event.name()) {
            // Kafka may have duplicates of an event.
            mailed.insert((format!("{} {kind}", event.key), event.header("ce_id").to_owned()));
        }
    }
    let mut events: BTreeMap<String, usize> = BTreeMap::new();
    for (key, _) in mailed {
        *events.entry(key).or_default() += 1;
    }
    let mails = mails.into_iter().filter(|(order, ..)| has_mailbox(order));
    let mails = mails.map(|(order, kind, count)| (format!("{order} {kind}"), count.parse().unwrap_or_default()));
    let differences = mail_differences(&events, &mails.collect()).into_iter();
    differences.map(|difference| format!("one mail per event: {difference}")).collect()
}

/// Returns the kind of mail that an event causes.
fn mail_of(event: &str) -> Option<&'static str> {
    match event {
        "OrderPlaced" => Some("placed"),
        "OrderConfirmed" => Some("paid"),
        "OrderShipped" => Some("shipped"),
        "OrderDelivered" => Some("delivered"),
        "OrderCancelled" => Some("cancelled"),
        "PaymentFailed" => Some("failed"),
        "PaymentRefunded" => Some("refunded"),
        _ => None,
    }
}

/// Returns each `<order id> <kind>` whose number of mails differs from its number of events.
fn mail_differences(events: &BTreeMap<String, usize>, mails: &BTreeMap<String, usize>) -> Vec<String> {
    let count = |counts: &BTreeMap<String, usize>, key: &str| counts.get(key).copied().unwrap_or_default();
    let all: BTreeSet<&String> = events.keys().chain(mails.keys()).collect();
    let different = all.into_iter().filter(|key| count(events, key) != count(mails, key));
    different.map(|key| format!("order {key}: {} events, {} mails", count(events, key), count(mails, key))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_needs_exactly_one_mail() {
        let of = |counts: &[(&str, usize)]| counts.iter().map(|(what, count)| ((*what).to_owned(), *count)).collect();
        let events = of(&[("1 placed", 1), ("1 cancelled", 2)]);
        assert_eq!(mail_differences(&events, &events), Vec::<String>::new());
        for (mails, expected) in [
            (of(&[("1 placed", 1), ("1 cancelled", 1)]), "order 1 cancelled: 2 events, 1 mails"),
            (of(&[("1 cancelled", 2)]), "order 1 placed: 1 events, 0 mails"),
            (of(&[("1 placed", 2), ("1 cancelled", 2)]), "order 1 placed: 1 events, 2 mails"),
            (of(&[("1 placed", 1), ("1 cancelled", 2), ("1 paid", 1)]), "order 1 paid: 0 events, 1 mails"),
        ] {
            assert_eq!(mail_differences(&events, &mails), [expected]);
        }
    }
}
