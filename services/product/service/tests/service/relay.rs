//! The outbox relay with faults: every committed event is published, in order per key.

use std::collections::{BTreeMap, HashSet};

use devstack::call::KafkaEvent;
use devstack::kafka::Kafka;
use devstack::ports;
use devstack::testing::{App, Servers, events, until};
use reqwest::Method;
use serde_json::json;
use sqlx::Connection;

use crate::app::{self, PROGRAM};

/// Checks that the versions of each key, without repeated events, count up from one. Returns the number of repeats.
fn assert_complete(events: &[KafkaEvent], keys: usize) -> usize {
    let mut seen = HashSet::new();
    let mut versions: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    let mut repeats = 0;
    for event in events {
        if seen.insert(event.header("ce_id")) {
            versions.entry(&event.key).or_default().push(event.header("ce_version").parse().expect("a version"));
        } else {
            repeats += 1;
        }
    }
    assert_eq!(versions.len(), keys);
    for (key, versions) in versions {
        let expected: Vec<i64> = (1..).take(versions.len()).collect();
        assert_eq!(versions, expected, "{key}");
    }
    repeats
}

async fn rename(app: &App, id: &str, name: &str) {
    let answer = app.admin(Method::PATCH, &format!("/v1/products/{id}"), Some(json!({ "name": name }))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn id(product: &serde_json::Value) -> String {
    product["productId"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_relay_killed_before_its_delete_publishes_twice() {
    let app = app::with(&[("PAUSE_AT", "relay.produced")]).await;
    let product = id(&app::create(&app, "mug").await);
    until("the event is on Kafka", async || !app.events().await.is_empty()).await;
    let mut database = app.database().await;
    let left: i64 = sqlx::query_scalar("select count(*) from outbox").fetch_one(&mut database).await.expect("counted");
    assert_eq!(left, 1, "the relay paused before it deleted the row");
    let app = app.kill_and_start().await;
    rename(&app, &product, "Mug 2").await;
    app.flushed().await;
    let events = app.events().await;
    assert_eq!(assert_complete(&events, 1), 1, "the first event was published twice");
    assert_eq!(events.len(), 3);
}

#[tokio::test]
async fn requests_succeed_while_the_broker_is_unavailable() {
    let servers = Servers::from_env();
    let folder = servers.scratch.join(format!("kafka-{}", uuid::Uuid::new_v4()));
    let mut kafka =
        Kafka::start(&folder, ports::any().expect("a port"), ports::any().expect("a port")).await.expect("Kafka");
    let mut spec = servers.service("product", PROGRAM).await.expect("prepared");
    spec.brokers = kafka.brokers();
    spec.migrate().await.expect("topics");
    let app = App::of(spec).await;
    let first = id(&app::create(&app, "first").await);
    app.flushed().await;

    kafka.stop().await;
    rename(&app, &first, "stopped").await;
    let second = id(&app::create(&app, "second").await);
    kafka.run().await.expect("Kafka restarted");
    app.flushed().await;

    kafka.kill().await;
    for n in 0..5 {
        rename(&app, &first, &format!("killed {n}")).await;
        rename(&app, &second, &format!("killed {n}")).await;
    }
    kafka.run().await.expect("Kafka restarted");
    app.flushed().await;
    assert_complete(&app.events().await, 2);

    // Broker and service are killed at the same time.
    kafka.kill().await;
    rename(&app, &first, "last").await;
    let app = app.kill_and_start().await;
    kafka.run().await.expect("Kafka restarted");
    app.flushed().await;
    let events = app.events().await;
    assert_complete(&events, 2);
    assert!(events.iter().any(|event| event.payload["product"]["name"] == "last"));
    drop(app);
    kafka.kill().await;
    std::fs::remove_dir_all(folder).expect("removed");
}

#[tokio::test]
async fn one_replica_relays_the_outbox_and_the_other_takes_over() {
    let first = app::start().await;
    let mut spec = first.spec.clone();
    spec.http = ports::any().expect("a port");
    spec.internal = ports::any().expect("a port");
    spec.log.set_extension("second.log");
    let second = App::of(spec).await;
    let leaders = async || {
        let mut leaders = 0;
        for app in [&first, &second] {
            let metrics =
                app.client.get(format!("{}/metrics", app.spec.internal_url())).send().await.expect("answered");
            leaders +=
                usize::from(metrics.text().await.expect("text").contains("outbox_relay_leader{service=\"product\"} 1"));
        }
        leaders
    };
    until("one replica leads", async || leaders().await == 1).await;

    let products = [id(&app::create(&first, "a").await), id(&app::create(&second, "b").await)];
    for n in 0..20 {
        let app = if n % 2 == 0 { &first } else { &second };
        rename(app, &products[n % 2], &format!("name {n}")).await;
        rename(app, &products[(n + 1) % 2], &format!("name {n}")).await;
    }
    assert_eq!(leaders().await, 1);
    second.flushed().await;
    // The first replica leads, because it started alone.
    let App { mut process, .. } = first;
    process.kill().await;
    rename(&second, &products[0], "after the leader was killed").await;
    second.flushed().await;
    let events = second.events().await;
    assert_complete(&events, 2);
    assert_eq!(events.iter().map(|event| event.header("ce_id")).collect::<HashSet<_>>().len(), 2 + 40 + 1);
}

#[tokio::test]
async fn a_late_commit_is_not_skipped() {
    let app = app::start().await;
    let mut database = app.database().await;
    #[expect(clippy::disallowed_methods, reason = "the test holds a transaction open on a connection of its own")]
    let mut late = database.begin().await.expect("begun");
    // Gets its position in the outbox now and commits after rows with later positions.
    let sql = "insert into outbox (id, at, topic, key, event_type, version, traceparent, payload) \
               values (gen_random_uuid(), now(), 'mart.product.v1', 'late', 'mart.product.v1.ProductArchived', 1, '', '')";
    sqlx::query(sql).execute(&mut *late).await.expect("inserted");
    for n in 0..5 {
        app::create(&app, &format!("p{n}")).await;
    }
    until("the others are published", async || app.events().await.len() == 5).await;
    late.commit().await.expect("committed");
    app.flushed().await;
    let seen = events(&app.spec).await;
    assert_eq!(seen.len(), 6);
    assert_complete(&seen, 6);
}
