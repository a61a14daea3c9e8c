//! A service with a database, a topic prefix and ports of its own, and its clients.

use std::time::Duration;

use devstack::call::{Reader, Seen};
use devstack::keys::Keys;
use devstack::process::Process;
use devstack::service::Setting;
use devstack::testing::Servers;
use rdkafka::Offset;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_product-service");

/// The service, running.
pub(crate) struct App {
    pub(crate) setting: Setting,
    pub(crate) process: Process,
    pub(crate) client: Client,
}

/// A status and a body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl App {
    /// Starts one with its defaults.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts one with further variables.
    pub(crate) async fn with(more: &[(&str, &str)]) -> Self {
        let mut setting = Servers::of_this_run().service("product", PROGRAM).await.expect("prepared");
        setting.more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::of(setting).await
    }

    /// Starts one that is prepared.
    pub(crate) async fn of(setting: Setting) -> Self {
        let process = setting.start_ready().await.expect("ready");
        Self { setting, process, client: Client::new() }
    }

    /// Sends a request as an admin.
    pub(crate) async fn admin(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let token = self.setting.keys.token("admin", "tests").expect("signed");
        self.send(method, path, body, &[("authorization", &format!("Bearer {token}"))]).await
    }

    /// Sends a request with these headers.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.setting.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request.send().await.expect("answered")).await
    }

    /// Creates an active product and gives it.
    pub(crate) async fn create(&self, slug: &str) -> Value {
        let answer = self.admin(Method::POST, "/v1/products", Some(product(slug))).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["product"].clone()
    }

    /// Kills it with SIGKILL and starts another of the same setting.
    pub(crate) async fn kill_and_start(mut self) -> Self {
        self.process.kill().await;
        self.setting.more.retain(|(name, _)| name != "FAILPOINTS");
        Self::of(self.setting.clone()).await
    }

    /// Its database, as the owner.
    pub(crate) async fn database(&self) -> PgConnection {
        PgConnection::connect(&self.setting.database.owner).await.expect("connected")
    }

    /// Waits until the outbox is empty.
    pub(crate) async fn flushed(&self) {
        let mut database = self.database().await;
        until("the outbox is empty", async || {
            sqlx::query_scalar::<_, i64>("select count(*) from outbox").fetch_one(&mut database).await.expect("counted")
                == 0
        })
        .await;
    }

    /// All events on the topic, until a second of quiet.
    pub(crate) async fn events(&self) -> Vec<Seen> {
        events(&self.setting).await
    }
}

/// All events on the topic of a setting, until a second of quiet.
pub(crate) async fn events(setting: &Setting) -> Vec<Seen> {
    let (brokers, topic) = (setting.brokers.clone(), format!("{}mart.product.v1", setting.topic_prefix));
    let read = move || {
        let reader = Reader::new(&brokers, &[topic], Offset::Beginning).expect("assigned");
        std::iter::from_fn(|| reader.next(Duration::from_secs(1))).collect()
    };
    tokio::task::spawn_blocking(read).await.expect("read")
}

/// A body that creates an active product.
pub(crate) fn product(slug: &str) -> Value {
    json!({
        "slug": slug, "name": format!("Product {slug}"), "status": "PRODUCT_STATUS_ACTIVE",
        "prices": [{"amount": "1500.00", "currencyCode": "PKR"}],
    })
}

/// A token with claims of the admin's that a test has changed.
pub(crate) fn token(keys: &Keys, signer: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = Keys::claims("admin", "tests");
    change(&mut claims);
    keys.sign(signer, &claims).expect("signed")
}

pub(crate) async fn answer(response: Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let bytes = response.bytes().await.expect("a whole body");
    Answer { status, kind, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}

/// Waits for a condition; a test fails when it does not come within a minute.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), wait).await.unwrap_or_else(|_| panic!("waited in vain: {what}"));
}
