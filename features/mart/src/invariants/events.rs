//! Events: all are published and processed, and the last event of each aggregate has its stored version.

use std::collections::BTreeMap;

use anyhow::Result;
use devstack::call::{KafkaEvent, Reader};
use rdkafka::Offset;

use super::databases::{Databases, versions};

/// Invariants of every service's database: the rule and a query of its violations.
pub(super) const EVERYWHERE: [(&str, &str); 2] = [
    ("the outbox is empty", "select format('%s %s of %s is not published', event_type, id, key) from outbox"),
    (
        "the inbox is empty",
        "select format('%s of %s is %s: %s', handler, key, case when dead_at is null then 'pending' else 'a dead letter' end, \
         reason) \
         from inbox",
    ),
];

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

/// Reads all events of the aggregates of running services.
pub(super) async fn history(databases: &Databases, brokers: &str, topic_prefix: &str) -> Result<Vec<KafkaEvent>> {
    let running = AGGREGATES.iter().filter(|(service, _, _)| databases.contains_key(*service));
    let topics: Vec<String> = running.map(|(_, topic, _)| format!("{topic_prefix}{topic}")).collect();
    let brokers = brokers.to_owned();
    let read = move || -> Result<Vec<KafkaEvent>> {
        let reader = Reader::new(&brokers, &topics, Offset::Beginning)?;
        reader.read_to_end()
    };
    tokio::task::spawn_blocking(read).await?
}

/// Returns the aggregates whose stored version differs from that of their last event.
pub(super) async fn differences(
    databases: &Databases,
    topic_prefix: &str,
    history: &[KafkaEvent],
) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    for (service, topic, sql) in AGGREGATES {
        if let Some(url) = databases.get(service) {
            let topic = format!("{topic_prefix}{topic}");
            violations.extend(unpublished(
                service,
                &versions(url, sql).await?,
                history.iter().filter(|event| event.topic == topic),
            ));
        }
    }
    Ok(violations)
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
