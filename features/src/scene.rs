//! Shared by both levels: callers, responses and records of other services.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use devstack::keys::Keys;
use http_body_util::BodyExt;
use hyper::{HeaderMap, Request};
use mart_chassis::config::Limits;
use mart_chassis::http::{Api, with_middleware};
use mart_chassis::{Record, auth};
use mart_kernel::clock::ManualClock;
use mart_kernel::ids::SequentialIds;
use mart_kernel::{EventEnvelope, PageTokenSigner, Timestamp, Version};
use mart_proto::Wire;
use serde_json::Value;
use time::OffsetDateTime;
use tower::ServiceExt;
use uuid::Uuid;

use crate::providers::{Providers, SANDBOX_SECRET, Sandbox};

/// One set of keys for all scenarios; further sets would prove nothing more.
static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("mart-features-{}", std::process::id()));
    Keys::in_folder(&folder).expect("keys")
});

/// The role and the subject of a caller; `None` without a token.
pub type Caller<'a> = Option<(&'a str, &'a str)>;

/// A response with its whole body.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null if it is not JSON.
    pub body: Value,
}

/// Returns the keys that sign the tokens of all scenarios.
pub fn keys() -> &'static Keys {
    &KEYS
}

/// Returns a record of a service that is not part of the mart, about an aggregate at a version. Each call returns another event.
pub fn record<M: Wire>(topic: &str, key: &str, version: i64, message: &M) -> Record {
    let at = Timestamp::new(OffsetDateTime::now_utc());
    let version = Version::from_stored(version).expect("zero or more");
    let event = EventEnvelope { id: Uuid::new_v4(), at, version, payload: () };
    Record::of(&event, topic, key.to_owned(), message)
}

/// The adapters that every service in the process gets.
#[derive(Debug, Clone)]
pub struct Adapters {
    /// The API, which trusts the keys of all scenarios.
    pub api: Arc<Api>,
    /// The clock, which a scenario moves.
    pub clock: Arc<ManualClock>,
    /// The ids, which are the same in each run.
    pub ids: Arc<SequentialIds>,
    /// Signs page tokens.
    pub page_tokens: PageTokenSigner,
}

impl Adapters {
    /// Creates the adapters of a new scenario.
    pub(crate) fn new() -> Self {
        let page_tokens = PageTokenSigner::new(b"a scenario's secret");
        Self { api: api(), clock: clock(), ids: Arc::new(SequentialIds::default()), page_tokens }
    }
}

/// Returns a clock that stands still until a scenario moves it.
fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_unix_micros(1_790_000_000_000_000).expect("in range")))
}

/// Returns an API that trusts the keys of all scenarios.
fn api() -> Arc<Api> {
    let keys = auth::Keys::load(&KEYS.jwks(), devstack::keys::ISSUER, devstack::keys::AUDIENCE).expect("keys");
    Arc::new(Api::new(Arc::new(keys), &Limits::default()))
}

/// Sends a request to routes.
pub(crate) async fn send(
    routes: Router,
    who: Caller<'_>,
    method: &str,
    path: &str,
    body: Option<Value>,
    headers: &[(&str, &str)],
) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    if let Some((role, subject)) = who {
        request = request.header("authorization", format!("Bearer {}", KEYS.token(role, subject).expect("signed")));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    answer(routes, request.body(body).expect("a request")).await
}

/// Sends a callback of a provider.
pub(crate) async fn post(routes: Router, path: &str, body: &str, headers: &[(&'static str, String)]) -> Answer {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    answer(routes, request.body(Body::from(body.to_owned())).expect("a request")).await
}

async fn answer(routes: Router, request: Request<Body>) -> Answer {
    let answer = with_middleware(routes, &Limits::default()).oneshot(request).await.expect("answered");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let bytes = answer.into_body().collect().await.expect("a whole body").to_bytes();
    Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}

/// Returns the sandbox's API and page for scenarios in the process, with their own clock. Its key is "a scenario's key".
/// # Panics
/// If no HTTP client can be created.
pub fn sandbox_routes(sandbox: Sandbox, clock: Arc<ManualClock>) -> Router {
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
    let (callback, key, secret) = (String::new(), "a scenario's key".to_owned(), SANDBOX_SECRET.to_owned());
    let page = format!("http://{address}");
    let config = devstack::sandbox::SandboxConfig { address, page, callback, key, secret };
    let now = Arc::new(move || mart_kernel::Clock::now(&*clock).get());
    devstack::sandbox::routes(sandbox, config, now).expect("routes")
}

/// The address of the PayFast of scenarios in the process; nothing listens there.
pub const PAYFAST: &str = "https://payfast.example";

/// Returns the APIs of the Stripe and the PayFast of scenarios in the process, with their own clock.
pub fn provider_routes(providers: &Providers, clock: Arc<ManualClock>) -> (Router, Router) {
    let now = Arc::new(move || mart_kernel::Clock::now(&*clock).get());
    (providers.stripe.routes(now), providers.payfast.routes())
}

/// Sends a request to routes, and returns the status and the body of the response.
/// # Panics
/// If the body can't be read.
pub async fn ask(routes: Router, request: Request<Vec<u8>>) -> (u16, Vec<u8>) {
    let answer = routes.oneshot(request.map(Body::from)).await.expect("answered");
    let status = answer.status().as_u16();
    (status, answer.into_body().collect().await.expect("a whole body").to_bytes().to_vec())
}

/// Collects the ids in a response.
pub(crate) fn ids(answer: &Value, found: &mut BTreeSet<String>) {
    match answer {
        Value::String(text) if Uuid::parse_str(text).is_ok() => {
            found.insert(text.clone());
        }
        Value::Array(all) => all.iter().for_each(|each| ids(each, found)),
        Value::Object(members) => members.values().for_each(|each| ids(each, found)),
        _ => {}
    }
}
