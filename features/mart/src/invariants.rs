//! What has to be true of the whole mart whenever it is quiet, looked at from outside: databases and topics only.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use devstack::call::{Reader, Seen};
use order_core::domain::state_machine::{Action, STATES, State, TRIGGERS, transition};
use rdkafka::Offset;
use sqlx::{Connection, PgConnection, Row};

/// Where the mart is.
#[derive(Debug, Clone)]
pub struct Mart {
    /// The URL of each service's database, by the service's name.
    pub databases: BTreeMap<String, String>,
    /// Kafka's address.
    pub brokers: String,
    /// Put before every topic.
    pub topic_prefix: String,
}

/// Statements that find nothing where all is well; each row says what is wrong.
const CHECKS: [(&str, &str, &str); 9] = [
    (
        "inventory",
        "what is reserved is what live reservations hold",
        "select format('product %s: %s reserved, live reservations hold %s', s.product_id, s.reserved, coalesce(sum(r.quantity), 0)) \
         from stock_item s left join (select unnest(product_ids) as product_id, unnest(quantities) as quantity \
         from reservation where status = 'reserved') r using (product_id) \
         group by s.product_id, s.reserved having s.reserved <> coalesce(sum(r.quantity), 0)",
    ),
    (
        "inventory",
        "the ledger sums to the stock",
        "select format('product %s: %s on hand and %s reserved, the ledger says %s and %s', s.product_id, s.on_hand, s.reserved, \
         coalesce(sum(on_hand_delta), 0), coalesce(sum(reserved_delta), 0)) \
         from stock_item s left join ledger_entry using (product_id) group by s.product_id, s.on_hand, s.reserved \
         having (s.on_hand, s.reserved) <> (coalesce(sum(on_hand_delta), 0), coalesce(sum(reserved_delta), 0))",
    ),
    (
        "inventory",
        "no reservation is held beyond its time",
        "select format('order %s: reserved until %s', order_id, expires_at) from reservation \
         where status = 'reserved' and expires_at < now() - interval '10 seconds'",
    ),
    (
        "order",
        "no order waits beyond its time",
        "select format('order %s: awaits payment until %s', order_id, payment_deadline) from orders \
         where payment_deadline < now() - interval '10 seconds'",
    ),
    (
        "order",
        "no order waits for stock for long",
        "select format('order %s: placed at %s', order_id, updated_at) from orders \
         where status = 'placed' and updated_at < now() - interval '10 seconds'",
    ),
    (
        "order",
        "no order rests as cancelled and captured",
        "select format('order %s: cancelled, its payment %s is not asked back', order_id, payment_id) from orders \
         where status = 'cancelled' and payment_id is not null and not refund_requested",
    ),
    (
        "order",
        "an order that goes on is paid",
        "select format('order %s: %s without payment', order_id, status) from orders \
         where status in ('confirmed', 'shipped', 'delivered') and (payment_id is null or refund_requested)",
    ),
    (
        "notification",
        "no letter waits for long",
        "select format('%s by %s about %s: %s', kind, channel, subject, failure) from notification \
         where status = 'pending' and created_at < now() - interval '10 seconds'",
    ),
    (
        "user",
        "who is disabled has no session",
        "select format('user %s', user_id) from account join session using (user_id) \
         where disabled and ended_at is null and expires_at > now()",
    ),
];

/// How many mails there are for each order and kind.
const MAILS: &str = "select order_id::text, kind, count(*)::text from notification \
     where channel = 'mail' and order_id is not null group by order_id, kind";

/// Orders that are told of, as long as Kafka keeps for sure all that was told of them, and those that were placed before.
const ORDERS: &str =
    "select order_id::text, case when created_at < now() - interval '29 days' then 'old' else email end from orders";

/// What a table keeps, with the version where its last event is on Kafka for sure.
macro_rules! kept {
    ($id:literal in $table:literal) => {
        concat!(
            "select ",
            $id,
            "::text, case when updated_at > now() - interval '29 days' then version end from ",
            $table
        )
    };
}

/// What a service tells of: itself, its topic, and what it keeps.
const TOLD: [(&str, &str, &str); 6] = [
    ("product", "mart.product.v1", kept!("product_id" in "product")),
    ("inventory", "mart.stock_item.v1", kept!("product_id" in "stock_item")),
    ("inventory", "mart.reservation.v1", kept!("order_id" in "reservation")),
    ("order", "mart.order.v1", kept!("order_id" in "orders")),
    ("payment", "mart.payment.v1", kept!("order_id" in "payment")),
    ("user", "mart.user.v1", kept!("user_id" in "account where verified")),
];

/// What order knows of products, of which it hears everything.
const KNOWN: &str = "select product_id::text, version::text from catalog_product";

/// The kind of mail that an event brings.
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

/// Orders and kinds, written `<order id> <kind>`, of which there is not a mail for each event.
fn mails_missed(events: &BTreeMap<String, usize>, mails: &BTreeMap<String, usize>) -> Vec<String> {
    let count = |of: &BTreeMap<String, usize>, what: &str| of.get(what).copied().unwrap_or_default();
    let all: BTreeSet<&String> = events.keys().chain(mails.keys()).collect();
    let missed = all.into_iter().filter(|what| count(events, what) != count(mails, what));
    missed.map(|what| format!("order {what}: {} events, {} mails", count(events, what), count(mails, what))).collect()
}

/// Where an order's money is.
const MONEY: &str = "select p.order_id::text, case \
     when not exists (select from transaction t where t.order_id = p.order_id and t.kind = 'captured') then 'never came' \
     when exists (select from refund r where r.order_id = p.order_id and r.status in ('pending', 'by hand')) then 'goes back' \
     when coalesce(sum(case kind when 'captured' then t.amount else -t.amount end), 0) = 0 then 'went back' \
     when coalesce(sum(case kind when 'captured' then t.amount else -t.amount end), 0) < 0 then 'is less than nothing' \
     else 'is here' end from payment p left join transaction t using (order_id) group by p.order_id";

/// Where an order's money may be in a status: what goes on is paid, and nobody keeps the money of what was cancelled. An admin
/// may send money back whenever he wants.
fn paid_agrees(order: &str, money: &str) -> bool {
    match money {
        "never came" => !matches!(order, "confirmed" | "shipped" | "delivered" | "missing"),
        "is here" => !matches!(order, "cancelled" | "awaiting_payment" | "missing"),
        "went back" | "goes back" => order != "missing",
        "has no account" => matches!(order, "placed" | "cancelled"),
        _ => false,
    }
}

/// The same for every service's database.
const EVERYWHERE: [(&str, &str); 2] = [
    ("the outbox is empty", "select format('%s %s of %s is not on Kafka', event_type, id, key) from outbox"),
    (
        "no record waits or is dead without somebody knowing why",
        "select format('%s of %s %s: %s', handler, key, case when dead_at is null then 'waits' else 'is dead' end, reason) \
         from inbox",
    ),
];

/// What a reservation of an order in a status may be in.
fn agrees(order: &str, reservation: Option<&str>) -> bool {
    match order {
        "awaiting_payment" => reservation == Some("reserved"),
        "confirmed" | "shipped" | "delivered" => reservation == Some("committed"),
        "cancelled" => !matches!(reservation, Some("reserved" | "committed")),
        // Waits for stock: whatever comes is still under way.
        _ => true,
    }
}

impl Mart {
    /// Everything that is not as it has to be, now.
    pub async fn broken(&self) -> Result<Vec<String>> {
        let mut broken = Vec::new();
        for (service, rule, sql) in CHECKS {
            if let Some(url) = self.databases.get(service) {
                broken.extend(rows(url, sql).await?.into_iter().map(|row| format!("{rule}: {row}")));
            }
        }
        for (service, url) in &self.databases {
            for (rule, sql) in EVERYWHERE {
                broken.extend(rows(url, sql).await?.into_iter().map(|row| format!("{service}: {rule}: {row}")));
            }
        }
        if let (Some(orders), Some(inventory)) = (self.databases.get("order"), self.databases.get("inventory")) {
            let reservations: BTreeMap<String, String> =
                pairs(inventory, "select order_id::text, status from reservation").await?.into_iter().collect();
            for (id, status) in pairs(orders, "select order_id::text, status from orders").await? {
                let reservation = reservations.get(&id).map(String::as_str);
                if !agrees(&status, reservation) {
                    let reservation = reservation.unwrap_or("missing");
                    broken
                        .push(format!("order and stock agree: order {id} is {status}, its reservation {reservation}"));
                }
            }
        }
        if let (Some(orders), Some(payments)) = (self.databases.get("order"), self.databases.get("payment")) {
            let statuses: BTreeMap<String, String> =
                pairs(orders, "select order_id::text, status from orders").await?.into_iter().collect();
            let moneys: BTreeMap<String, String> = pairs(payments, MONEY).await?.into_iter().collect();
            for id in statuses.keys().chain(moneys.keys()).collect::<BTreeSet<_>>() {
                let of = |all: &BTreeMap<String, String>, missing: &str| {
                    all.get(id).map_or(missing.to_owned(), Clone::clone)
                };
                let (status, money) = (of(&statuses, "missing"), of(&moneys, "has no account"));
                if !paid_agrees(&status, &money) {
                    broken.push(format!("order and money agree: order {id} is {status}, its money {money}"));
                }
            }
        }
        broken.extend(self.products_are_known().await?);
        let topics: Vec<&str> = TOLD.iter().map(|(_, topic, _)| *topic).collect();
        let seen = self.seen(&topics).await?;
        for (service, topic, sql) in TOLD {
            if let Some(url) = self.databases.get(service) {
                let topic = format!("{}{topic}", self.topic_prefix);
                broken.extend(untold(
                    service,
                    &versions(url, sql).await?,
                    seen.iter().filter(|seen| seen.topic == topic),
                ));
            }
        }
        if let Some(url) = self.databases.get("order") {
            let orders: BTreeMap<String, String> = pairs(url, ORDERS).await?.into_iter().collect();
            broken.extend(histories(&orders, &seen));
            if let Some(url) = self.databases.get("notification") {
                broken.extend(mails(&orders, &seen, triples(url, MAILS).await?));
            }
        }
        Ok(broken)
    }

    /// Asks until all is well, or until this much time has passed; what is broken then.
    pub async fn broken_after(&self, quiet: Duration) -> Result<Vec<String>> {
        let begun = Instant::now();
        loop {
            let broken = self.broken().await?;
            if broken.is_empty() || begun.elapsed() > quiet {
                return Ok(broken);
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// All that lies on topics.
    async fn seen(&self, topics: &[&str]) -> Result<Vec<Seen>> {
        let brokers = self.brokers.clone();
        let topics: Vec<String> = topics.iter().map(|topic| format!("{}{topic}", self.topic_prefix)).collect();
        let read = move || -> Result<Vec<Seen>> {
            let reader = Reader::new(&brokers, &topics, Offset::Beginning)?;
            reader.to_the_end()
        };
        tokio::task::spawn_blocking(read).await?
    }

    /// Order knows each product as it is.
    async fn products_are_known(&self) -> Result<Vec<String>> {
        let (Some(products), Some(orders)) = (self.databases.get("product"), self.databases.get("order")) else {
            return Ok(Vec::new());
        };
        let products: BTreeMap<String, String> =
            pairs(products, "select product_id::text, version::text from product").await?.into_iter().collect();
        let mut broken = Vec::new();
        for (id, known) in pairs(orders, KNOWN).await? {
            let version = products.get(&id).map_or("missing", String::as_str);
            if version != known {
                broken.push(format!("products are known as they are: order knows {id} at {known}, it is at {version}"));
            }
        }
        Ok(broken)
    }
}

/// Rows whose last event does not lie on Kafka, and events of what nobody keeps.
fn untold<'a>(
    service: &str,
    rows: &BTreeMap<String, Option<i64>>,
    seen: impl Iterator<Item = &'a Seen>,
) -> Vec<String> {
    let mut told: BTreeMap<&str, i64> = BTreeMap::new();
    for seen in seen {
        let version: i64 = seen.header("ce_version").parse().unwrap_or_default();
        let last = told.entry(&seen.key).or_default();
        *last = version.max(*last);
    }
    let mut broken = Vec::new();
    for (id, version) in rows {
        let last = told.get(id.as_str()).copied().unwrap_or_default();
        if version.is_some_and(|version| version != last) {
            let version = version.unwrap_or_default();
            broken.push(format!("acknowledged is visible: {service} {id} is at {version}, its last event is {last}"));
        }
    }
    let lost = told.keys().filter(|id| !rows.contains_key(**id));
    broken.extend(lost.map(|id| format!("what was told is kept: {service} {id} is gone")));
    broken
}

/// One mail for each step of an order that its customer is told of, and no more.
fn mails(orders: &BTreeMap<String, String>, seen: &[Seen], mails: Vec<(String, String, String)>) -> Vec<String> {
    let has_mailbox = |order: &str| orders.get(order).is_some_and(|email| !matches!(email.as_str(), "" | "old"));
    let mut steps = BTreeSet::new();
    for seen in seen.iter().filter(|seen| has_mailbox(&seen.key)) {
        if let Some(kind) = mail_of(seen.name()) {
            // The same event may lie there twice.
            steps.insert((format!("{} {kind}", seen.key), seen.header("ce_id").to_owned()));
        }
    }
    let mut events: BTreeMap<String, usize> = BTreeMap::new();
    for (what, _) in steps {
        *events.entry(what).or_default() += 1;
    }
    let mails = mails.into_iter().filter(|(order, ..)| has_mailbox(order));
    let mails = mails.map(|(order, kind, count)| (format!("{order} {kind}"), count.parse().unwrap_or_default()));
    let missed = mails_missed(&events, &mails.collect()).into_iter();
    missed.map(|missed| format!("one mail per step: {missed}")).collect()
}

/// Every order's events have the versions 1, 2, 3 … and follow the table.
fn histories(orders: &BTreeMap<String, String>, seen: &[Seen]) -> Vec<String> {
    let mut told: BTreeMap<&str, BTreeMap<i64, &str>> = BTreeMap::new();
    let of_orders = |seen: &&Seen| seen.topic.ends_with("mart.order.v1") && seen.name() != "OrderRepublished";
    for seen in seen.iter().filter(of_orders) {
        let version = seen.header("ce_version").parse().unwrap_or_default();
        // The same event may lie there twice; its version is its name.
        told.entry(&seen.key).or_default().insert(version, seen.name());
    }
    let mut broken = Vec::new();
    for (id, events) in told.into_iter().filter(|(id, _)| orders.get(*id).is_none_or(|email| email != "old")) {
        let kinds: Vec<&str> = events.values().copied().collect();
        let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
        if !events.keys().copied().eq(1..=count) {
            broken.push(format!("no event is lost: order {id} told the versions {:?}", events.keys()));
        } else if !follows(&kinds) {
            broken.push(format!("every order follows the table: order {id} told {}", kinds.join(", ")));
        }
    }
    broken
}

/// Whether events, in their order, are a way through the table.
fn follows(kinds: &[&str]) -> bool {
    let Some(("OrderPlaced", rest)) = kinds.split_first().map(|(first, rest)| (*first, rest)) else { return false };
    let mut stages = vec![State::Placed];
    let mut rest = rest.iter().peekable();
    while let Some(kind) = rest.next() {
        let refunds = rest.peek() == Some(&&"RefundRequested");
        let mut next = Vec::new();
        for stage in &stages {
            for trigger in TRIGGERS {
                let to = match (transition(*stage, trigger), *kind) {
                    (Action::Await, "OrderAwaitingPayment") => Some(State::AwaitingPayment),
                    (Action::Confirm, "OrderConfirmed") => Some(State::Confirmed),
                    (Action::CancelTimeout, "OrderCancelled") if !refunds => Some(State::TimedOut),
                    (Action::CancelTimeout | Action::CancelAsked | Action::CancelNoStock, "OrderCancelled") => {
                        Some(State::Cancelled)
                    }
                    (Action::Reinstate, "OrderReinstated") => Some(State::Reinstated),
                    (Action::Refund, "RefundRequested") => Some(State::Cancelled),
                    (Action::Change, "OrderChanged") => Some(*stage),
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
        stages = STATES.into_iter().filter(|stage| next.contains(stage)).collect();
    }
    true
}

async fn rows(url: &str, sql: &'static str) -> Result<Vec<String>> {
    let mut connection = PgConnection::connect(url).await.context("a database does not answer")?;
    let found = sqlx::query(sql).fetch_all(&mut connection).await?;
    found.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

async fn triples(url: &str, sql: &'static str) -> Result<Vec<(String, String, String)>> {
    let mut connection = PgConnection::connect(url).await.context("a database does not answer")?;
    Ok(sqlx::query_as(sql).fetch_all(&mut connection).await?)
}

async fn versions(url: &str, sql: &'static str) -> Result<BTreeMap<String, Option<i64>>> {
    let mut connection = PgConnection::connect(url).await.context("a database does not answer")?;
    let found: Vec<(String, Option<i64>)> = sqlx::query_as(sql).fetch_all(&mut connection).await?;
    Ok(found.into_iter().collect())
}

async fn pairs(url: &str, sql: &'static str) -> Result<Vec<(String, String)>> {
    let mut connection = PgConnection::connect(url).await.context("a database does not answer")?;
    Ok(sqlx::query_as(sql).fetch_all(&mut connection).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_a_way_through_the_table_or_is_found_out() {
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
    fn a_mail_per_step_or_it_is_found_out() {
        let of = |counts: &[(&str, usize)]| counts.iter().map(|(what, count)| ((*what).to_owned(), *count)).collect();
        let events = of(&[("1 placed", 1), ("1 cancelled", 2)]);
        assert_eq!(mails_missed(&events, &events), Vec::<String>::new());
        for (mails, missed) in [
            (of(&[("1 placed", 1), ("1 cancelled", 1)]), "order 1 cancelled: 2 events, 1 mails"),
            (of(&[("1 cancelled", 2)]), "order 1 placed: 1 events, 0 mails"),
            (of(&[("1 placed", 2), ("1 cancelled", 2)]), "order 1 placed: 1 events, 2 mails"),
            (of(&[("1 placed", 1), ("1 cancelled", 2), ("1 paid", 1)]), "order 1 paid: 0 events, 1 mails"),
        ] {
            assert_eq!(mails_missed(&events, &mails), [missed]);
        }
    }

    #[test]
    fn an_order_and_its_money_agree_or_are_found_out() {
        for (order, money) in [
            ("confirmed", "is here"),
            ("confirmed", "went back"),
            ("cancelled", "never came"),
            ("cancelled", "went back"),
            ("cancelled", "goes back"),
            ("awaiting_payment", "never came"),
        ] {
            assert!(paid_agrees(order, money), "{order}, {money}");
        }
        for (order, money) in [
            ("confirmed", "never came"),
            ("delivered", "never came"),
            ("cancelled", "is here"),
            ("awaiting_payment", "is here"),
            ("missing", "is here"),
            ("confirmed", "has no account"),
            ("awaiting_payment", "has no account"),
            ("confirmed", "is less than nothing"),
        ] {
            assert!(!paid_agrees(order, money), "{order}, {money}");
        }
    }

    #[test]
    fn an_order_and_its_reservation_agree_or_are_found_out() {
        assert!(agrees("confirmed", Some("committed")) && agrees("cancelled", None) && agrees("placed", None));
        assert!(!agrees("confirmed", Some("expired")) && !agrees("cancelled", Some("reserved")));
        assert!(!agrees("awaiting_payment", None));
    }
}
