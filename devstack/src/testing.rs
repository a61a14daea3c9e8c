//! What integration tests stand on: one real PostgreSQL and one real Kafka for a whole run, isolation by database, topic
//! prefix and group.
//!
//! `./mart test` starts both and tells where they are. A test that lacks them fails and says how to run it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use rdkafka::Offset;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Response};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::call::{Reader, Seen};
use crate::databases::{self, Urls};
use crate::keys::Keys;
use crate::ports;
use crate::process::Process;
use crate::publisher;
use crate::secrets::Secrets;
use crate::service::ServiceSpec;

pub use crate::publisher::TestEvent;

/// Names the superuser's URL of the run's PostgreSQL.
pub const POSTGRES: &str = "MART_TEST_POSTGRES";
/// Names the address of the run's Kafka.
pub const KAFKA: &str = "MART_TEST_KAFKA";
/// Says that features are to run on the servers of the run.
pub const FEATURES_ON_SERVERS: &str = "FEATURES_ON_SERVERS";
/// Names the folder that goes away after the run.
pub const SCRATCH: &str = "MART_TEST_SCRATCH";

/// The servers of the run.
#[derive(Debug, Clone)]
pub struct Servers {
    /// A URL of the superuser.
    pub postgres: String,
    /// Kafka's address.
    pub kafka: String,
    /// For files of the run.
    pub scratch: PathBuf,
}

impl Servers {
    /// Those that `./mart test` started.
    ///
    /// # Panics
    /// Without them: a test that can't run has failed.
    pub fn of_this_run() -> Self {
        let told =
            |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run this test by ./mart test"));
        Self { postgres: told(POSTGRES), kafka: told(KAFKA), scratch: told(SCRATCH).into() }
    }

    /// A new empty database of a service.
    pub async fn database(&self, service: &str) -> Result<Urls> {
        let name = format!("{service}_{}", Uuid::new_v4().simple());
        let secrets = Secrets::in_file(&self.scratch.join("secrets.json"));
        databases::ensure(&self.postgres, service, &name, &secrets).await.context("a test database could not be made")
    }

    /// A service with a database, a topic prefix and ports of its own, migrated and not yet started.
    pub async fn service(&self, name: &str, program: &str) -> Result<ServiceSpec> {
        self.service_among(name, program, &prefix()).await
    }

    /// The same among others that share its topics.
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

/// The program of a service of the workspace, which stands beside the folder of the test programs.
///
/// # Panics
/// Where this program is no test that cargo built.
pub fn program(service: &str) -> String {
    programs().join(format!("{service}-service")).display().to_string()
}

/// The devstack's own program, which is the gateway; it stands in the same folder.
///
/// # Panics
/// Where this program is no test that cargo built.
pub fn devstack() -> PathBuf {
    programs().join("devstack")
}

fn programs() -> PathBuf {
    let own = std::env::current_exe().expect("this program has a path");
    own.parent().and_then(std::path::Path::parent).expect("cargo's folder of programs").to_owned()
}

/// A topic prefix that nobody else has.
pub fn prefix() -> String {
    format!("t{}.", &Uuid::new_v4().simple().to_string()[..12])
}

/// A service with a database, a topic prefix and ports of its own, running, and its clients. It panics where a test has
/// nothing left to prove.
#[derive(Debug)]
pub struct App {
    /// How it is run.
    pub spec: ServiceSpec,
    /// Its process.
    pub process: Process,
    /// Sends requests.
    pub client: Client,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The content type.
    pub kind: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body; null where it was not JSON.
    pub body: Value,
}

impl App {
    /// Starts a service's program with further variables.
    pub async fn start(service: &str, program: &str, more: &[(&str, &str)]) -> Self {
        let mut spec = Servers::of_this_run().service(service, program).await.expect("prepared");
        spec.more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::of(spec).await
    }

    /// Starts one that is prepared.
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

    /// Sends a request with the token of a role, or without any.
    pub async fn call(&self, role: Option<&str>, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.call_with(role, method, path, body, &[]).await
    }

    /// Sends a request with the token of a role, or without any, and further headers.
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

    /// Starts a service's program beside topics of others, so that it finds the events that a test tells.
    pub async fn start_consumer(service: &str, program: &str, topics: &[&str]) -> Self {
        Self::of_consumer(Servers::of_this_run().service(service, program).await.expect("prepared"), topics).await
    }

    /// Starts one that is prepared beside topics of others.
    pub async fn of_consumer(spec: ServiceSpec, topics: &[&str]) -> Self {
        let names: Vec<String> = topics.iter().map(|topic| format!("{}{topic}", spec.topic_prefix)).collect();
        crate::kafka::topics(&spec.brokers, &names).await.expect("topics");
        Self::of(spec).await
    }

    /// Tells an event of another service.
    pub async fn publish(&self, event: &TestEvent) {
        self.publish_all(std::slice::from_ref(event)).await;
    }

    /// Tells many events of others, as fast as they go.
    pub async fn publish_all(&self, all: &[TestEvent]) {
        publisher::publish(&self.spec.brokers, &self.spec.topic_prefix, all).await.expect("on Kafka");
    }

    /// A second process of the same service, beside this one.
    pub async fn replica(&self) -> Self {
        let (http, internal) = (ports::any().expect("a port"), ports::any().expect("a port"));
        let log = self.spec.log.with_extension("replica.log");
        Self::of(ServiceSpec { http, internal, log, ..self.spec.clone() }).await
    }

    /// Kills it with SIGKILL and starts another of the same spec.
    pub async fn kill_and_start(mut self) -> Self {
        self.process.kill().await;
        self.spec.more.retain(|(name, _)| name != "FAILPOINTS" && !name.starts_with("KILL_"));
        Self::of(self.spec.clone()).await
    }

    /// Its database, as the owner.
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

    /// All events that lie on the service's topic now.
    pub async fn events(&self) -> Vec<Seen> {
        events(&self.spec).await
    }
}

/// All events that lie on a service's topic now.
pub async fn events(spec: &ServiceSpec) -> Vec<Seen> {
    let (brokers, topic) = (spec.brokers.clone(), format!("{}mart.{}.v1", spec.topic_prefix, spec.name));
    let read = move || {
        let reader = Reader::new(&brokers, &[topic], Offset::Beginning).expect("assigned");
        reader.to_the_end().expect("read")
    };
    tokio::task::spawn_blocking(read).await.expect("read")
}

/// A token with claims of the admin's that a test has changed.
pub fn token(keys: &Keys, signer: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = Keys::claims("admin", "tests");
    change(&mut claims);
    keys.sign(signer, &claims).expect("signed")
}

/// Reads an answer to its end.
pub async fn answer(response: Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let bytes = response.bytes().await.expect("a whole body");
    Answer { status, kind, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}

/// Waits for a condition; a test fails when it does not come within some minutes, which no machine is too slow for.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(5), wait).await.unwrap_or_else(|_| panic!("waited in vain: {what}"));
}
