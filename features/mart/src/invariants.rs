//! The invariants of the whole mart. They hold when no event is in flight, and are checked in databases and topics only.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use devstack::call::{KafkaEvent, Reader};
use order_core::domain::state_machine::{Action, STATES, State, TRIGGERS, transition};
use rdkafka::Offset;
use sqlx::{Connection, PgConnection, Row};

/// The databases and the Kafka cluster of a mart.
#[derive(Debug, Clone)]
pub struct Mart {
    /// The URL of each service's database, by the service's name.
    pub databases: BTreeMap<String, String>,
    /// Kafka's address.
    pub brokers: String,
    /// The prefix of every topic.
    pub topic_prefix: String,
}

/// Invariants of one database: the service, the rule, and a query of its violations.
const CHECKS: [(&str, &str, &str); 9] = [
    (
        "inventory",
        "reserved stock equals the active reservations",
        "select format('product %s: %s reserved, active reservations have %s', s.product_id, s.reserved, coalesce(sum(r.quantity), 0)) \
         from stock_item s left join (select unnest(product_ids) as product_id, unnest(quantities) as quantity \
         from reservation where status = 'reserved') r using (product_id) \
         group by s.product_id, s.reserved having s.reserved <> coalesce(sum(r.quantity), 0)",
    ),
    (
        "inventory",
        "the ledger sums to the stock",
        "select format('product %s: %s on hand and %s reserved, the ledger has %s and %s', s.product_id, s.on_hand, s.reserved, \
         coalesce(sum(on_hand_delta), 0), coalesce(sum(reserved_delta), 0)) \
         from stock_item s left join ledger_entry using (product_id) group by s.product_id, s.on_hand, s.reserved \
         having (s.on_hand, s.reserved) <> (coalesce(sum(on_hand_delta), 0), coalesce(sum(reserved_delta), 0))",
    ),
    (
        "inventory",
        "no reservation is overdue",
        "select format('order %s: reserved until %s', order_id, expires_at) from reservation \
         where status = 'reserved' and expires_at < now() - interval '10 seconds'",
    ),
    (
        "order",
        "no payment deadline is overdue",
        "select format('order %s: awaits payment until %s', order_id, payment_deadline) from orders \
         where payment_deadline < now() - interval '10 seconds'",
    ),
    (
        "order",
        "no order awaits stock for long",
        "select format('order %s: placed at %s', order_id, updated_at) from orders \
         where status = 'placed' and updated_at < now() - interval '10 seconds'",
    ),
    (
        "order",
        "a cancelled order's payment is refunded",
        "select format('order %s: cancelled, the refund of its payment %s is not requested', order_id, payment_id) from orders \
         where status = 'cancelled' and payment_id is not null and not refund_requested",
    ),
    (
        "order",
        "a confirmed order is paid",
        "select format('order %s: %s without payment', order_id, status) from orders \
         where status in ('confirmed', 'shipped', 'delivered') and (payment_id is null or refund_requested)",
    ),
    (
        "notification",
        "no message is pending for long",
        "select format('%s by %s about %s: %s', kind, channel, subject, failure) from notification \
         where status = 'pending' and created_at < now() - interval '10 seconds'",
    ),
    (
        "user",
        "a disabled user has no session",
        "select format('user %s', user_id) from account join session using (user_id) \
         where disabled and ended_at is null and expires_at > now()",
    ),
];

/// The number of mails for each order and kind.
const MAILS: &str = "select order_id::text, kind, count(*)::text from notification \
     where channel = 'mail' and order_id is not null group by order_id, kind";

/// The email address of each order, or `old` if Kafka's retention may have deleted its first events.
const ORDERS: &str =
    "select order_id::text, case when created_at < now() - interval '29 days' then 'old' else email end from orders";

/// Selects the ids of a table, with the version unless Kafka's retention may have deleted the last event.
macro_rules! stored {
    ($id:literal in $table:literal) => {
        concat!(
            "select ",
            $id,
            "::text, case when updated_at > now() - interval '29 days' then version end from ",
            $table
        )
    };
}

/// The published aggregates: the service, its topic and a query of the stored versions.
const AGGREGATES: [(&str, &str, &str); 6] = [
    ("product", "mart.product.v1", stored!("product_id" in "product")),
    ("inventory", "mart.stock_item.v1", stored!("product_id" in "stock_item")),
    ("inventory", "mart.reservation.v1", stored!("order_id" in "reservation")),
    ("order", "mart.order.v1", stored!("order_id" in "orders")),
    ("payment", "mart.payment.v1", stored!("order_id" in "payment")),
    ("user", "mart.user.v1", stored!("user_id" in "account where verified")),
];

/// Order's read model of products.
const CATALOG_PRODUCTS: &str = "select product_id::text, version::text from catalog_product";

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

/// The state of each order's payment.
const PAYMENTS: &str = "select p.order_id::text, case \
     when not exists (select from transaction t where t.order_id = p.order_id and t.kind = 'captured') then 'not captured' \
     when exists (select from refund r where r.order_id = p.order_id and r.status in ('pending', 'manual')) \
     then 'being refunded' \
     when coalesce(sum(case kind when 'captured' then t.amount else -t.amount end), 0) = 0 then 'refunded' \
     when coalesce(sum(case kind when 'captured' then t.amount else -t.amount end), 0) < 0 then 'negative' \
     else 'captured' end from payment p left join transaction t using (order_id) group by p.order_id";

/// Returns whether the status of an order allows the state of its payment. A confirmed order is paid, and the payment of a
/// cancelled order is refunded. An admin may refund in every status.
fn payment_agrees(order: &str, payment: &str) -> bool {
    match payment {
        "not captured" => !matches!(order, "confirmed" | "shipped" | "delivered" | "missing"),
        "captured" => !matches!(order, "cancelled" | "awaiting_payment" | "missing"),
        "refunded" | "being refunded" => order != "missing",
        "missing" => matches!(order, "placed" | "cancelled"),
        _ => false,
    }
}

/// Invariants of every service's database: the rule and a query of its violations.
const EVERYWHERE: [(&str, &str); 2] = [
    ("the outbox is empty", "select format('%s %s of %s is not published', event_type, id, key) from outbox"),
    (
        "the inbox is empty",
        "select format('%s of %s is %s: %s', handler, key, case when dead_at is null then 'pending' else 'a dead letter' end, \
         reason) \
         from inbox",
    ),
];

/// Returns whether the status of an order allows the status of its reservation.
fn reservation_agrees(order: &str, reservation: Option<&str>) -> bool {
    match order {
        "awaiting_payment" => reservation == Some("reserved"),
        "confirmed" | "shipped" | "delivered" => reservation == Some("committed"),
        "cancelled" => !matches!(reservation, Some("reserved" | "committed")),
        // The order awaits stock, so inventory's event may be in flight.
        _ => true,
    }
}

impl Mart {
    /// Returns the current violations of the invariants.
    pub async fn violations(&self) -> Result<Vec<String>> {
        let mut violations = Vec::new();
        for (service, rule, sql) in CHECKS {
            if let Some(url) = self.databases.get(service) {
                violations.extend(rows(url, sql).await?.into_iter().map(|row| format!("{rule}: {row}")));
            }
        }
        for (service, url) in &self.databases {
            for (rule, sql) in EVERYWHERE {
                violations.extend(rows(url, sql).await?.into_iter().map(|row| format!("{service}: {rule}: {row}")));
            }
        }
        if let (Some(orders), Some(inventory)) = (self.databases.get("order"), self.databases.get("inventory")) {
            let reservations: BTreeMap<String, String> =
                pairs(inventory, "select order_id::text, status from reservation").await?.into_iter().collect();
            for (id, status) in pairs(orders, "select order_id::text, status from orders").await? {
                let reservation = reservations.get(&id).map(String::as_str);
                if !reservation_agrees(&status, reservation) {
                    let reservation = reservation.unwrap_or("missing");
                    violations.push(format!(
                        "order and stock agree: order {id} is {status}, its reservation is {reservation}"
                    ));
                }
            }
        }
        if let (Some(orders), Some(payments)) = (self.databases.get("order"), self.databases.get("payment")) {
            let statuses: BTreeMap<String, String> =
                pairs(orders, "select order_id::text, status from orders").await?.into_iter().collect();
            let payments: BTreeMap<String, String> = pairs(payments, PAYMENTS).await?.into_iter().collect();
            for id in statuses.keys().chain(payments.keys()).collect::<BTreeSet<_>>() {
                let of = |all: &BTreeMap<String, String>| all.get(id).map_or("missing".to_owned(), Clone::clone);
                let (status, payment) = (of(&statuses), of(&payments));
                if !payment_agrees(&status, &payment) {
                    violations
                        .push(format!("order and payment agree: order {id} is {status}, its payment is {payment}"));
                }
            }
        }
        violations.extend(self.stale_products().await?);
        let running = AGGREGATES.iter().filter(|(service, _, _)| self.databases.contains_key(*service));
        let topics: Vec<&str> = running.map(|(_, topic, _)| *topic).collect();
        let history = self.read_events(&topics).await?;
        for (service, topic, sql) in AGGREGATES {
            if let Some(url) = self.databases.get(service) {
                let topic = format!("{}{topic}", self.topic_prefix);
                violations.extend(unpublished(
                    service,
                    &versions(url, sql).await?,
                    history.iter().filter(|event| event.topic == topic),
                ));
            }
        }
        if let Some(url) = self.databases.get("order") {
            let orders: BTreeMap<String, String> = pairs(url, ORDERS).await?.into_iter().collect();
            violations.extend(histories(&orders, &history));
            if let Some(url) = self.databases.get("notification") {
                violations.extend(mails(&orders, &history, triples(url, MAILS).await?));
            }
        }
        Ok(violations)
    }

    /// Repeats the checks until there is no violation or the timeout has passed. Returns the violations of the last check.
    pub async fn violations_after(&self, timeout: Duration) -> Result<Vec<String>> {
        let begun = Instant::now();
        loop {
            let violations = self.violations().await?;
            if violations.is_empty() || begun.elapsed() > timeout {
                return Ok(violations);
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// Reads all events of these topics.
    async fn read_events(&self, topics: &[&str]) -> Result<Vec<KafkaEvent>> {
        let brokers = self.brokers.clone();
        let topics: Vec<String> = topics.iter().map(|topic| format!("{}{topic}", self.topic_prefix)).collect();
        let read = move || -> Result<Vec<KafkaEvent>> {
            let reader = Reader::new(&brokers, &topics, Offset::Beginning)?;
            reader.read_to_end()
        };
        tokio::task::spawn_blocking(read).await?
    }

    /// Returns the products of which order has another version than product.
    async fn stale_products(&self) -> Result<Vec<String>> {
        let (Some(products), Some(orders)) = (self.databases.get("product"), self.databases.get("order")) else {
            return Ok(Vec::new());
        };
        let products: BTreeMap<String, String> =
            pairs(products, "select product_id::text, version::text from product").await?.into_iter().collect();
        let mut violations = Vec::new();
        for (id, known) in pairs(orders, CATALOG_PRODUCTS).await? {
            let version = products.get(&id).map_or("missing", String::as_str);
            if version != known {
                violations.push(format!(
                    "the read model of products is current: order has {id} at version {known}, product at {version}"
                ));
            }
        }
        Ok(violations)
    }
}

/// Returns the rows whose last event is not on Kafka, and the published aggregates that are not stored.
fn unpublished<'a>(
    service: &str,
    rows: &BTreeMap<String, Option<i64>>,
    events: impl Iterator<Item = &'a KafkaEvent>,
) -> Vec<String> {
    let mut published: BTreeMap<&str, i64> = BTreeMap::new();
    for event in events {
        let version: i64 = event.header("ce_version").parse().unwrap_or_default();
        let last = published.entry(&event.key).or_default();
        *last = version.max(*last);
    }
    let mut violations = Vec::new();
    for (id, version) in rows {
        let last = published.get(id.as_str()).copied().unwrap_or_default();
        if version.is_some_and(|version| version != last) {
            let version = version.unwrap_or_default();
            violations.push(format!(
                "committed events are published: {service} {id} is at version {version}, its last event at {last}"
            ));
        }
    }
    let lost = published.keys().filter(|id| !rows.contains_key(**id));
    violations.extend(lost.map(|id| format!("published aggregates are stored: {service} {id} is missing")));
    violations
}

/// Returns a violation unless there is exactly one mail for each event that causes one.
fn mails(
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

/// Returns a violation for each order whose events do not have the versions 1, 2, 3 …, or do not follow the state machine.
fn histories(orders: &BTreeMap<String, String>, history: &[KafkaEvent]) -> Vec<String> {
    let mut published: BTreeMap<&str, BTreeMap<i64, &str>> = BTreeMap::new();
    let of_orders = |event: &&KafkaEvent| event.topic.ends_with("mart.order.v1") && event.name() != "OrderRepublished";
    for event in history.iter().filter(of_orders) {
        let version = event.header("ce_version").parse().unwrap_or_default();
        // Kafka may have duplicates of an event, with the same version.
        published.entry(&event.key).or_default().insert(version, event.name());
    }
    let mut violations = Vec::new();
    for (id, events) in published.into_iter().filter(|(id, _)| orders.get(*id).is_none_or(|email| email != "old")) {
        let kinds: Vec<&str> = events.values().copied().collect();
        let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
        if !events.keys().copied().eq(1..=count) {
            violations.push(format!("no event is lost: order {id} published the versions {:?}", events.keys()));
        } else if !follows(&kinds) {
            violations
                .push(format!("every order follows the state machine: order {id} published {}", kinds.join(", ")));
        }
    }
    violations
}

/// Returns whether the events, in this order, are a path through the state machine.
fn follows(kinds: &[&str]) -> bool {
    let Some(("OrderPlaced", rest)) = kinds.split_first().map(|(first, rest)| (*first, rest)) else { return false };
    let mut states = vec![State::Placed];
    let mut rest = rest.iter().peekable();
    while let Some(kind) = rest.next() {
        let refunds = rest.peek() == Some(&&"RefundRequested");
        let mut next = Vec::new();
        for state in &states {
            for trigger in TRIGGERS {
                let to = match (transition(*state, trigger), *kind) {
                    (Action::Await, "OrderAwaitingPayment") => Some(State::AwaitingPayment),
                    (Action::Confirm, "OrderConfirmed") => Some(State::Confirmed),
                    (Action::CancelTimeout, "OrderCancelled") if !refunds => Some(State::TimedOut),
                    (Action::CancelTimeout | Action::CancelRequested | Action::CancelNoStock, "OrderCancelled") => {
                        Some(State::Cancelled)
                    }
                    (Action::Reinstate, "OrderReinstated") => Some(State::Reinstated),
                    (Action::Refund, "RefundRequested") => Some(State::Cancelled),
                    (Action::Change, "OrderChanged") => Some(*state),
                    (Action::Ship, "OrderShipped") => Some(State::Shipped),
                    (Action::Deliver, "OrderDelivered") => Some(State::Delivered),
                    _ => None,
                };
                next.extend(to);
            }
        }
        if next.is_empty() {
            return false;
        }
        states = STATES.into_iter().filter(|state| next.contains(state)).collect();
    }
    true
}

async fn rows(url: &str, sql: &'static str) -> Result<Vec<String>> {
    let mut connection = PgConnection::connect(url).await.context("a database is unavailable")?;
    let found = sqlx::query(sql).fetch_all(&mut connection).await?;
    found.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

async fn triples(url: &str, sql: &'static str) -> Result<Vec<(String, String, String)>> {
    let mut connection = PgConnection::connect(url).await.context("a database is unavailable")?;
    Ok(sqlx::query_as(sql).fetch_all(&mut connection).await?)
}

async fn versions(url: &str, sql: &'static str) -> Result<BTreeMap<String, Option<i64>>> {
    let mut connection = PgConnection::connect(url).await.context("a database is unavailable")?;
    let found: Vec<(String, Option<i64>)> = sqlx::query_as(sql).fetch_all(&mut connection).await?;
    Ok(found.into_iter().collect())
}

async fn pairs(url: &str, sql: &'static str) -> Result<Vec<(String, String)>> {
    let mut connection = PgConnection::connect(url).await.context("a database is unavailable")?;
    Ok(sqlx::query_as(sql).fetch_all(&mut connection).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_must_follow_the_state_machine() {
        for good in [
            "OrderPlaced",
            "OrderPlaced OrderChanged OrderAwaitingPayment OrderConfirmed OrderShipped OrderDelivered",
            "OrderPlaced OrderAwaitingPayment OrderCancelled OrderReinstated OrderConfirmed",
            "OrderPlaced OrderAwaitingPayment OrderCancelled OrderReinstated OrderCancelled RefundRequested RefundRequested",
            "OrderPlaced OrderCancelled RefundRequested",
        ] {
            assert!(follows(&good.split(' ').collect::<Vec<_>>()), "{good}");
        }
        for bad in [
            "OrderAwaitingPayment",
            "OrderPlaced OrderConfirmed",
            "OrderPlaced OrderAwaitingPayment OrderShipped",
            "OrderPlaced OrderAwaitingPayment OrderConfirmed OrderShipped OrderCancelled",
            "OrderPlaced OrderCancelled RefundRequested OrderReinstated",
            "OrderPlaced OrderAwaitingPayment OrderConfirmed RefundRequested",
        ] {
            assert!(!follows(&bad.split(' ').collect::<Vec<_>>()), "{bad}");
        }
    }

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

    #[test]
    fn the_payment_must_agree_with_the_order() {
        for (order, payment) in [
            ("confirmed", "captured"),
            ("confirmed", "refunded"),
            ("cancelled", "not captured"),
            ("cancelled", "refunded"),
            ("cancelled", "being refunded"),
            ("awaiting_payment", "not captured"),
        ] {
            assert!(payment_agrees(order, payment), "{order}, {payment}");
        }
        for (order, payment) in [
            ("confirmed", "not captured"),
            ("delivered", "not captured"),
            ("cancelled", "captured"),
            ("awaiting_payment", "captured"),
            ("missing", "captured"),
            ("confirmed", "missing"),
            ("awaiting_payment", "missing"),
            ("confirmed", "negative"),
        ] {
            assert!(!payment_agrees(order, payment), "{order}, {payment}");
        }
    }

    #[test]
    fn the_reservation_must_agree_with_the_order() {
        assert!(
            reservation_agrees("confirmed", Some("committed"))
                && reservation_agrees("cancelled", None)
                && reservation_agrees("placed", None)
        );
        assert!(
            !reservation_agrees("confirmed", Some("expired")) && !reservation_agrees("cancelled", Some("reserved"))
        );
        assert!(!reservation_agrees("awaiting_payment", None));
    }
}
