//! Tests of the consumer: every event is applied once, no event blocks others, and dead letters lose nothing.

use std::collections::BTreeMap;

use devstack::databases;
use devstack::ports;
use devstack::postgres::{Durability, Postgres};
use devstack::secrets::Secrets;
use devstack::testing::Servers;
use reqwest::Method;

use crate::fixture::{Shelf, event, until};

#[tokio::test]
async fn a_consumer_killed_after_handling_applies_the_event_once() {
    let shelf = Shelf::start(&[("PAUSE_AT", "consumer.handled"), ("RUST_LOG", "debug")]).await;
    shelf.write(&event("p", 1, "one")).await;
    assert_eq!(shelf.applied_to("p", 1).await, [1], "the event is applied, the offset is not committed");
    let shelf = shelf.kill_and_start().await;
    shelf.write(&event("p", 2, "two")).await;
    assert_eq!(shelf.applied_to("p", 2).await, [1, 2]);
    // The handler continues the trace of the record's header.
    let handled = |line: &str| line.contains("handled") && line.contains("0af7651916cd43dd8448eb211c80319c");
    until("there is a log line with the trace", async || shelf.process.output().lines().any(handled)).await;
    until("the first record was delivered again", async || {
        shelf.metric(r#"events_handled_total{service="shelf",handler="shelf.product-created",outcome="ignored"}"#).await
            > 0
    })
    .await;
}

#[tokio::test]
async fn duplicates_are_ignored_and_early_events_are_postponed() {
    let shelf = Shelf::start(&[]).await;
    let first = event("p", 1, "one");
    for record in [&event("p", 2, "two"), &event("p", 3, "three"), &first, &first, &event("p", 4, "four"), &first] {
        shelf.write(record).await;
    }
    assert_eq!(shelf.applied_to("p", 4).await, [1, 2, 3, 4]);
    until("no record is pending", async || shelf.pending().await == 0).await;
    assert_eq!(shelf.applied().await.len(), 4);
}

#[tokio::test]
async fn invalid_records_become_dead_letters_and_block_nothing() {
    let shelf = Shelf::start(&[]).await;
    let good = event("good", 1, "good");
    let mut null = event("null", 1, "null");
    null.payload = None;
    let mut garbage = event("garbage", 1, "garbage");
    garbage.payload = Some(vec![0xff; 10]);
    let mut keyless = event("keyless", 1, "keyless");
    keyless.key = None;
    let mut bare = event("bare", 1, "bare");
    bare.headers.clear();
    let mut long = event("long", 1, "long").with("ce_version", "x");
    long.key = Some(vec![b'k'; 10_000]);
    let invalid = [
        null,
        garbage,
        keyless,
        bare,
        long,
        event("nul-id", 1, "x").with("ce_id", "a\0b"),
        event("long-id", 1, "x").with("ce_id", &"1".repeat(10_000)),
        event("no-id", 1, "x").without("ce_id"),
        event("no-type", 1, "x").without("ce_type"),
        event("bad-id", 1, "x").with("ce_id", "not a uuid"),
        event("bad-time", 1, "x").with("ce_time", "yesterday"),
        event("bad-version", 1, "x").with("ce_version", "-1"),
    ];
    for record in &invalid {
        shelf.write(record).await;
    }
    shelf.write(&event("other", 1, "x").with("ce_type", "mart.product.v1.ProductArchived")).await;
    shelf.write(&event("other", 1, "x").with("ce_type", "no.such.Thing")).await;
    shelf.write(&good).await;
    assert_eq!(shelf.applied_to("good", 1).await, [1]);
    let letters = shelf.dead_letters(invalid.len()).await;
    assert_eq!(letters.len(), invalid.len());
    assert_eq!(shelf.metric(r#"events_skipped_total{service="shelf"}"#).await, 2);
    assert_eq!(shelf.pending().await, 0);

    // A second delivery of an invalid record does not add a dead letter.
    shelf.write(&invalid[3]).await;
    shelf.write(&event("good", 2, "still good")).await;
    assert_eq!(shelf.applied_to("good", 2).await, [1, 2]);
    assert_eq!(shelf.dead_letters(invalid.len()).await.len(), invalid.len());
}

#[tokio::test]
async fn an_event_that_the_database_rejects_blocks_no_other_key() {
    let shelf = Shelf::start(&[]).await;
    shelf.write(&event("long", 1, &"x".repeat(2_000))).await;
    shelf.write(&event("good", 1, "good")).await;
    assert_eq!(shelf.applied_to("good", 1).await, [1], "another key is not blocked");
    let letters = shelf.dead_letters(1).await;
    assert_eq!((&letters[0]["attempts"], letters[0]["key"].as_str()), (&20.into(), Some("long")));
    assert!(letters[0]["reason"].as_str().is_some_and(|reason| reason.contains("rejected")), "{}", letters[0]);
}

#[tokio::test]
async fn attempts_and_age_of_an_event_are_limited_by_settings() {
    for (name, value, attempts, replayed) in [("INBOX_MAX_ATTEMPTS", "3", 3, 3), ("INBOX_MAX_AGE", "10ms", 2, 1)] {
        let shelf = Shelf::start(&[(name, value)]).await;
        shelf.write(&event("long", 1, &"x".repeat(2_000))).await;
        let letter = shelf.dead_letters(1).await.remove(0);
        assert_eq!(letter["attempts"], attempts, "{name}");
        let path = format!("/dead-letters/{}/replay", letter["id"]);
        assert_eq!(shelf.internal(Method::POST, &path).await.0, 202);
        assert_eq!(shelf.dead_letters(1).await[0]["attempts"], replayed, "{name} counts from zero after a replay");
    }
}

#[tokio::test]
async fn a_dead_letter_has_every_byte_and_is_replayed_or_discarded() {
    let shelf = Shelf::start(&[]).await;
    let early = event("p", 2, "two").with("x-odd", "\u{1f600}");
    shelf.write(&early).await;
    shelf.write(&event("poisoned", 1, "poison")).await;
    shelf.write(&event("poisoned", 2, "fine")).await;
    let letters = shelf.dead_letters(3).await;
    let find = |key: &str| letters.iter().filter(|letter| letter["key"] == key).cloned().collect::<Vec<_>>();
    assert_eq!(find("p")[0]["attempts"], 20);
    assert_eq!(find("p")[0]["reason"], "the preceding event is missing");
    let poisoned = find("poisoned");
    let mut reasons: Vec<&str> = poisoned.iter().filter_map(|letter| letter["reason"].as_str()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["the handler panicked", "the preceding event is missing"]);

    let (_, shown) = shelf.internal(Method::GET, &format!("/dead-letters/{}", find("p")[0]["id"])).await;
    let record = &shown["record"];
    assert_eq!(decoded(&record["payload"]), early.payload);
    assert_eq!(decoded(&record["key"]), early.key);
    let headers: Vec<(String, Option<Vec<u8>>)> = record["headers"]
        .as_array()
        .expect("headers")
        .iter()
        .map(|header| (header[0].as_str().expect("a name").to_owned(), decoded(&header[1])))
        .collect();
    let written: Vec<(String, Option<Vec<u8>>)> =
        early.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    assert_eq!(headers, written);

    shelf.write(&event("p", 1, "one")).await;
    assert_eq!(shelf.applied_to("p", 1).await, [1], "the dead letter does not block its key");
    let path = format!("/dead-letters/{}", find("p")[0]["id"]);
    assert_eq!(shelf.internal(Method::POST, &format!("{path}/replay")).await.0, 202);
    assert_eq!(shelf.applied_to("p", 2).await, [1, 2]);
    let (status, problem) = shelf.internal(Method::POST, &format!("{path}/replay")).await;
    assert_eq!((status, problem["code"].as_str()), (404, Some("DEAD_LETTER_NOT_FOUND")));
    for (path, status) in [("/dead-letters/abc", 400), ("/dead-letters?after=abc", 400), ("/nowhere", 404)] {
        let (received, problem) = shelf.internal(Method::GET, path).await;
        assert_eq!((received, problem["status"].as_u64()), (status, Some(status.into())), "{path}");
    }
    for letter in &poisoned {
        let path = format!("/dead-letters/{}", letter["id"]);
        assert_eq!(shelf.internal(Method::DELETE, &path).await.0, 204);
        assert_eq!(shelf.internal(Method::GET, &path).await.0, 404);
    }
    assert_eq!(shelf.internal(Method::GET, "/dead-letters").await.1["deadLetters"].as_array().map(Vec::len), Some(0));
}

fn decoded(base64: &serde_json::Value) -> Option<Vec<u8>> {
    use base64::Engine;
    base64.as_str().map(|text| base64::engine::general_purpose::STANDARD.decode(text).expect("base64"))
}

#[tokio::test]
async fn changing_replicas_apply_every_event_once_in_order() {
    let first = Shelf::start(&[]).await;
    let products: Vec<String> = (0..40).map(|n| format!("p{n}")).collect();
    for product in &products {
        first.write(&event(product, 1, "one")).await;
    }
    let mut second = first.replica().await;
    for version in 2..=6 {
        for product in &products {
            first.write(&event(product, version, "more")).await;
        }
        if version == 4 {
            second.process.kill().await;
            second = first.replica().await;
        }
    }
    until("all events are applied", async || first.applied().await.len() >= 40 * 6).await;
    until("no record is pending", async || first.pending().await == 0).await;
    let mut versions: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (product, version) in first.applied().await {
        versions.entry(product).or_default().push(version);
    }
    assert_eq!(versions.len(), 40);
    for (product, versions) in versions {
        assert_eq!(versions, [1, 2, 3, 4, 5, 6], "{product}");
    }
    drop(second);
}

#[tokio::test]
async fn a_database_outage_pauses_the_partition_without_attempts() {
    let servers = Servers::from_env();
    let folder = servers.scratch.join(format!("postgres-{}", uuid::Uuid::new_v4()));
    let port = ports::any().expect("a port");
    let mut postgres = Postgres::start(&folder, port, "test", Durability::ProcessCrash).await.expect("PostgreSQL");
    let mut spec = Shelf::prepared(&[]).await;
    let secrets = Secrets::in_file(&folder.join("secrets.json"));
    spec.database = databases::ensure(&postgres.url("postgres"), "shelf", "shelf", &secrets).await.expect("a database");
    spec.migrate().await.expect("migrated");
    let shelf = Shelf::of(spec).await;
    shelf.write(&event("p", 1, "one")).await;
    assert_eq!(shelf.applied_to("p", 1).await, [1]);

    postgres.stop().await;
    shelf.write(&event("p", 2, "two")).await;
    shelf.write(&event("q", 1, "one")).await;
    until("the consumer has paused", async || shelf.metric(r#"consumer_pauses_total{service="shelf"}"#).await > 1)
        .await;
    assert!(!shelf.spec.ready().await, "readiness is red");
    postgres.run().await.expect("PostgreSQL again");
    assert_eq!(shelf.applied_to("p", 2).await, [1, 2]);
    assert_eq!(shelf.applied_to("q", 1).await, [1]);
    assert_eq!(shelf.pending().await, 0);

    postgres.kill().await;
    shelf.write(&event("p", 3, "three")).await;
    postgres.run().await.expect("PostgreSQL again");
    assert_eq!(shelf.applied_to("p", 3).await, [1, 2, 3]);
    assert_eq!(shelf.pending().await, 0);
    until("readiness is green", async || shelf.spec.ready().await).await;
    drop(shelf);
    postgres.kill().await;
    std::fs::remove_dir_all(folder).expect("removed");
}
