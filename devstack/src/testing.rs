//! The environment of integration tests: one real PostgreSQL and one real Kafka for a whole run. Tests are isolated by database,
//! topic prefix and consumer group.
//!
//! `./mart test` starts both and passes their addresses in environment variables. Without them, a test fails.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use rdkafka::Offset;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Response};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::call::{KafkaEvent, Reader};
use crate::databases::{self, Urls};
use crate::keys::Keys;
use crate::ports;
use crate::process::Process;
use crate::publisher;
use crate::secrets::Secrets;
use crate::service::ServiceSpec;

pub use crate::publisher::TestEvent;

/// The environment variable with the superuser's URL of the run's PostgreSQL.
pub const POSTGRES: &str = "MART_TEST_POSTGRES";
/// The environment variable with the address of the run's Kafka.
pub const KAFKA: &str = "MART_TEST_KAFKA";
/// The environment variable that makes scenarios run on the run's servers.
pub const FEATURES_ON_SERVERS: &str = "FEATURES_ON_SERVERS";
/// The environment variable with the folder of the run's files, which is deleted after the run.
pub const SCRATCH: &str = "MART_TEST_SCRATCH";

/// The servers of the run.
#[derive(Debug, Clone)]
pub struct Servers {
    /// The superuser's URL of PostgreSQL.
    pub postgres: String,
    /// The address of Kafka.
    pub kafka: String,
    /// The folder of the run's files.
    pub scratch: PathBuf,
}

impl Servers {
    /// Returns the servers that `./mart test` has started, from the environment variables.
    ///
    /// # Panics
    /// If a variable is missing.
    pub fn from_env() -> Self {
        let var =
            |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run this test with ./mart test"));
        Self { postgres: var(POSTGRES), kafka: var(KAFKA), scratch: var(SCRATCH).into() }
    }

    /// Creates an empty database for a service.
    pub async fn database(&self, service: &str) -> Result<Urls> {
        let name = format!("{service}_{}", Uuid::new_v4().simple());
        let secrets = Secrets::in_file(&self.scratch.join("secrets.json"));
        databases::ensure(&self.postgres, service, &name, &secrets).await.context("cannot create a test database")
    }

    /// Prepares a service with its own database, topic prefix and ports: migrates it, but does not start it.
    pub async fn service(&self, name: &str, program: &str) -> Result<ServiceSpec> {
        self.service_among(name, program, &prefix()).await
    }

    /// Like [`Servers::service`], but with a topic prefix that other services share.
    pub async fn service_among(&self, name: &str, program: &str, topic_prefix: &str) -> Result<ServiceSpec> {
        let run = Uuid::new_v4().simple().to_string();
        let spec = ServiceSpec {
            name: name.to_owned(),
            program: program.into(),
            http: ports::any()?,
            internal: ports::any()?,
            database: self.database(name).await?,
            brokers: self.kafka.clone(),
            topic_prefix: topic_prefix.to_owned(),
            keys: Keys::in_folder(&self.scratch.join("keys"))?,
            page_secret: run.clone(),
            log: self.scratch.join(format!("logs/{name}-{run}.log")),
            more: Vec::new(),
        };
        spec.migrate().await?;
        Ok(spec)
    }
}

/// Returns the path of a service's program, which is in the parent folder of the test programs.
///
/// # Panics
/// If this program is not a test that cargo has built.
pub fn program(service: &str) -> String {
    programs().join(format!("{service}-service")).display().to_string()
}

/// Returns the path of the devstack's program, which is also the gateway, the sandbox and the mail server.
///
/// # Panics
/// If this program is not a test that cargo has built.
pub fn devstack() -> PathBuf {
    programs().join("devstack")
}

fn programs() -> PathBuf {
    let own = std::env::current_exe().expect("this program has a path");
    own.parent().and_then(std::path::Path::parent).expect("cargo's folder of programs").to_owned()
}

/// Returns a unique topic prefix.
pub fn prefix() -> String {
    format!("t{}.", &Uuid::new_v4().simple().to_string()[..12])
}

/// A running service with its own database, topic prefix and ports. Its methods panic if anything fails.
#[derive(Debug)]
pub struct App {
    /// The service's configuration.
    pub spec: ServiceSpec,
    /// The service's process.
    pub process: Process,
    /// The HTTP client.
    pub client: Client,
}

/// A response with its whole body.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The content type.
    pub kind: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; `null` if it is not JSON.
    pub body: Value,
}

impl App {
    /// Starts a service with additional environment variables.
    pub async fn start(service: &str, program: &str, more: &[(&str, &str)]) -> Self {
        let mut spec = Servers::from_env().service(service, program).await.expect("prepared");
        spec.more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::of(spec).await
    }

    /// Starts a prepared service.
    pub async fn of(spec: ServiceSpec) -> Self {
        let process = spec.start_ready().await.expect("ready");
        Self { spec, process, client: crate::http::client() }
    }

    /// Sends a request as an admin.
    pub async fn admin(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let token = self.spec.keys.token("admin", "tests").expect("signed");
        self.send(method, path, body, &[("authorization", &format!("Bearer {token}"))]).await
    }

    /// Sends a request with these headers.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.spec.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request.send().await.expect("answered")).await
    }

    /// Sends a request with the token of a role, or without a token.
    pub async fn call(&self, role: Option<&str>, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.call_with(role, method, path, body, &[]).await
    }

    /// Sends a request with the token of a role, or without a token, and additional headers.
    pub async fn call_with(
        &self,
        role: Option<&str>,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let token = role.map(|role| format!("Bearer {}", self.spec.keys.token(role, "tests").expect("signed")));
        let token = token.iter().map(|token| ("authorization", token.as_str()));
        self.send(method, path, body, &token.chain(headers.iter().copied()).collect::<Vec<_>>()).await
    }

    /// Starts a service after creating topics of other services, so that it consumes the events that the test publishes.
    pub async fn start_consumer(service: &str, program: &str, topics: &[&str]) -> Self {
        Self::of_consumer(Servers::from_env().service(service, program).await.expect("prepared"), topics).await
    }

    /// Starts a prepared service after creating topics of other services.
    pub async fn of_consumer(spec: ServiceSpec, topics: &[&str]) -> Self {
        let names: Vec<String> = topics.iter().map(|topic| format!("{}{topic}", spec.topic_prefix)).collect();
        crate::kafka::topics(&spec.brokers, &names).await.expect("topics");
        Self::of(spec).await
    }

    /// Publishes an event of another service.
    pub async fn publish(&self, event: &TestEvent) {
        self.publish_all(std::slice::from_ref(event)).await;
    }

    /// Publishes events of other services concurrently.
    pub async fn publish_all(&self, all: &[TestEvent]) {
        publisher::publish(&self.spec.brokers, &self.spec.topic_prefix, all).await.expect("published");
    }

    /// Starts a second process of the same service.
    pub async fn replica(&self) -> Self {
        let (http, internal) = (ports::any().expect("a port"), ports::any().expect("a port"));
        let log = self.spec.log.with_extension("replica.log");
        Self::of(ServiceSpec { http, internal, log, ..self.spec.clone() }).await
    }

    /// Kills the service with SIGKILL and starts it again, without failpoints.
    pub async fn kill_and_start(mut self) -> Self {
        self.process.kill().await;
        self.spec.more.retain(|(name, _)| name != "PAUSE_AT" && !name.starts_with("KILL_"));
        Self::of(self.spec.clone()).await
    }

    /// Connects to the service's database as its owner.
    pub async fn database(&self) -> PgConnection {
        PgConnection::connect(&self.spec.database.owner).await.expect("connected")
    }

    /// Waits until the outbox is empty.
    pub async fn flushed(&self) {
        let mut database = self.database().await;
        until("the outbox is empty", async || {
            sqlx::query_scalar::<_, i64>("select count(*) from outbox").fetch_one(&mut database).await.expect("counted")
                == 0
        })
        .await;
    }

    /// Returns all events that the service's topic has now.
    pub async fn events(&self) -> Vec<KafkaEvent> {
        events(&self.spec).await
    }
}

/// Returns all events that a service's topic has now.
pub async fn events(spec: &ServiceSpec) -> Vec<KafkaEvent> {
    let (brokers, topic) = (spec.brokers.clone(), format!("{}mart.{}.v1", spec.topic_prefix, spec.name));
    let read = move || {
        let reader = Reader::new(&brokers, &[topic], Offset::Beginning).expect("assigned");
        reader.read_to_end().expect("read")
    };
    tokio::task::spawn_blocking(read).await.expect("read")
}

/// Returns a token, signed with the key of the role `signer`, with an admin's claims that `change` has modified.
pub fn token(keys: &Keys, signer: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = Keys::claims("admin", "tests");
    change(&mut claims);
    keys.sign(signer, &claims).expect("signed")
}

/// Reads a response to its end.
pub async fn answer(response: Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let bytes = response.bytes().await.expect("a whole body");
    Answer { status, kind, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}

/// Polls a condition until it is true.
///
/// # Panics
/// If the condition is not true within 5 minutes, which is long enough for the slowest machine.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(5), wait).await.unwrap_or_else(|_| panic!("timed out: {what}"));
}
