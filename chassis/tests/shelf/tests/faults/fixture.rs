//! A shelf service with its own database, topic prefix and ports, and a producer for its events.

use std::collections::BTreeMap;
use std::time::Duration;

use devstack::process::Process;
use devstack::service::ServiceSpec;
use devstack::testing::Servers;
use mart_chassis::Config;
use mart_proto::product::v1::{Product, ProductCreated, ProductUpdated};
use prost::Message;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

/// Returns the configuration of a shelf that uses this database and nothing else.
pub(crate) fn config(url: &str) -> Config {
    let vars = [
        ("HTTP_ADDR", "127.0.0.1:0"),
        ("INTERNAL_ADDR", "127.0.0.1:0"),
        ("DATABASE_URL", url),
        ("DATABASE_MAX_CONNECTIONS", "4"),
        ("KAFKA_BROKERS", "none"),
        ("TOKEN_KEYS", "none"),
        ("TOKEN_ISSUER", "none"),
        ("TOKEN_AUDIENCE", "none"),
        ("PAGE_TOKEN_SECRET", "0123456789abcdef0123456789abcdef"),
    ];
    let vars: BTreeMap<String, String> =
        vars.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Config::from_vars("shelf", vars, |_| ()).expect("valid").0
}

pub(crate) struct Shelf {
    pub(crate) spec: ServiceSpec,
    pub(crate) process: Process,
    producer: FutureProducer,
}

/// A record that a test writes to Kafka.
#[derive(Clone)]
pub(crate) struct Written {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) headers: Vec<(&'static str, Option<Vec<u8>>)>,
    pub(crate) payload: Option<Vec<u8>>,
}

/// Returns a valid record: version 1 creates the product, later versions rename it.
pub(crate) fn event(product: &str, version: i64, name: &str) -> Written {
    let message = Some(Product { product_id: product.to_owned(), name: name.to_owned(), ..Product::default() });
    let (kind, payload) = match version {
        1 => ("mart.product.v1.ProductCreated", ProductCreated { product: message }.encode_to_vec()),
        _ => ("mart.product.v1.ProductUpdated", ProductUpdated { product: message }.encode_to_vec()),
    };
    let text = |text: &str| Some(text.as_bytes().to_vec());
    let headers = vec![
        ("ce_specversion", text("1.0")),
        ("ce_id", text(&Uuid::new_v4().to_string())),
        ("ce_type", text(kind)),
        ("ce_time", text("2026-11-25T10:00:00Z")),
        ("ce_version", text(&version.to_string())),
        ("traceparent", text("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")),
    ];
    Written { key: text(product), headers, payload: Some(payload) }
}

impl Written {
    pub(crate) fn without(mut self, header: &str) -> Self {
        self.headers.retain(|(name, _)| *name != header);
        self
    }

    pub(crate) fn with(self, name: &'static str, value: &str) -> Self {
        let mut changed = self.without(name);
        changed.headers.push((name, Some(value.as_bytes().to_vec())));
        changed
    }
}

impl Shelf {
    pub(crate) async fn start(more: &[(&str, &str)]) -> Self {
        Self::of(Self::prepared(more).await).await
    }

    /// Prepares a service with its topic and with short backoffs.
    pub(crate) async fn prepared(more: &[(&str, &str)]) -> ServiceSpec {
        let mut spec =
            Servers::from_env().service("shelf", env!("CARGO_BIN_EXE_shelf-service")).await.expect("prepared");
        spec.more.push(("INBOX_MAX_BACKOFF".to_owned(), "50ms".to_owned()));
        spec.more.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", &spec.brokers).create().expect("a client");
        let topic = topic(&spec);
        let topic = NewTopic::new(&topic, 4, TopicReplication::Fixed(1));
        admin.create_topics([&topic], &AdminOptions::new()).await.expect("created");
        spec
    }

    pub(crate) async fn of(spec: ServiceSpec) -> Self {
        let process = spec.start_ready().await.expect("ready");
        let producer = ClientConfig::new()
            .set("bootstrap.servers", &spec.brokers)
            .set("enable.idempotence", "true")
            .create()
            .expect("a producer");
        Self { spec, process, producer }
    }

    /// Starts a second replica with the same consumer group and database.
    pub(crate) async fn replica(&self) -> Self {
        let mut spec = self.spec.clone();
        spec.http = devstack::ports::any().expect("a port");
        spec.internal = devstack::ports::any().expect("a port");
        spec.log.set_extension("replica.log");
        Self::of(spec).await
    }

    pub(crate) async fn kill_and_start(mut self) -> Self {
        self.process.kill().await;
        self.spec.more.retain(|(name, _)| name != "PAUSE_AT");
        Self::of(self.spec.clone()).await
    }

    pub(crate) async fn write(&self, record: &Written) {
        let headers = record
            .headers
            .iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: value.as_deref() }));
        let topic = topic(&self.spec);
        let mut message = FutureRecord::<[u8], [u8]>::to(&topic).headers(headers);
        message.key = record.key.as_deref();
        message.payload = record.payload.as_deref();
        self.producer.send(message, Duration::from_mins(2)).await.map_err(|(error, _)| error).expect("on Kafka");
    }

    pub(crate) async fn database(&self) -> PgConnection {
        PgConnection::connect(&self.spec.database.owner).await.expect("connected")
    }

    /// Returns the product and version of the applied events, in their order.
    pub(crate) async fn applied(&self) -> Vec<(String, i64)> {
        let mut database = self.database().await;
        sqlx::query_as("select product_id, version from applied order by position")
            .fetch_all(&mut database)
            .await
            .expect("read")
    }

    /// Waits until `count` events of a product are applied. Returns their versions.
    pub(crate) async fn applied_to(&self, product: &str, count: usize) -> Vec<i64> {
        let mut versions = Vec::new();
        until(&format!("{count} events of {product} are applied"), async || {
            let all = self.applied().await.into_iter();
            versions = all.filter(|(id, _)| id == product).map(|(_, version)| version).collect();
            versions.len() >= count
        })
        .await;
        versions
    }

    pub(crate) async fn internal(&self, method: reqwest::Method, path: &str) -> (u16, Value) {
        let url = format!("{}{path}", self.spec.internal_url());
        let response = devstack::http::client().request(method, url).send().await.expect("a response");
        (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
    }

    /// Waits until there are `count` dead letters. Returns them.
    pub(crate) async fn dead_letters(&self, count: usize) -> Vec<Value> {
        let mut letters = Vec::new();
        until(&format!("there are {count} dead letters"), async || {
            let (_, body) = self.internal(reqwest::Method::GET, "/dead-letters").await;
            letters = body["deadLetters"].as_array().cloned().unwrap_or_default();
            letters.len() >= count
        })
        .await;
        letters
    }

    /// Returns the number of pending records in the inbox.
    pub(crate) async fn pending(&self) -> i64 {
        let sql = "select count(*) from inbox where dead_at is null";
        sqlx::query_scalar(sql).fetch_one(&mut self.database().await).await.expect("counted")
    }

    pub(crate) async fn metric(&self, line: &str) -> i64 {
        let url = format!("{}/metrics", self.spec.internal_url());
        let text = devstack::http::client().get(url).send().await.expect("a response").text().await.expect("text");
        let value = text.lines().find_map(|found| found.strip_prefix(line));
        value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
    }
}

fn topic(spec: &ServiceSpec) -> String {
    format!("{}mart.product.v1", spec.topic_prefix)
}

/// Waits for a condition. Panics if it is not true within five minutes.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(5), wait)
        .await
        .unwrap_or_else(|_| panic!("timed out waiting until {what}"));
}
