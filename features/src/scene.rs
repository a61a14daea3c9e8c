//! A service's real routes with a clock that the scenario moves, and the last answer.

use std::fmt;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use devstack::keys::Keys;
use http_body_util::BodyExt;
use hyper::{HeaderMap, Request};
use mart_chassis::config::Limits;
use mart_chassis::http::{Edge, protect};
use mart_chassis::{Record, auth};
use mart_kernel::clock::ManualClock;
use mart_kernel::{Event, Timestamp, Version};
use mart_proto::Wire;
use serde_json::Value;
use time::OffsetDateTime;
use tower::ServiceExt;
use uuid::Uuid;

/// One set of keys for all scenarios; making some anew for each would prove nothing more.
static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("mart-features-{}", std::process::id()));
    Keys::in_folder(&folder).expect("keys")
});

/// Who sends a request: a role and a subject, or nobody.
pub type Who<'a> = Option<(&'a str, &'a str)>;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null where it was not JSON.
    pub body: Value,
}

/// The keys that sign the tokens of all scenarios.
pub fn keys() -> &'static Keys {
    &KEYS
}

/// The word of a service that is not part of the mart, about an aggregate: each time another event, at version 1.
pub fn told<M: Wire>(topic: &str, key: &str, message: &M) -> Record {
    let at = Timestamp::new(OffsetDateTime::now_utc());
    let event = Event { id: Uuid::new_v4(), at, version: Version::NONE.next(), fact: () };
    Record::of(&event, topic, key.to_owned(), message)
}

/// A clock that stands still until a scenario moves it.
pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_unix_micros(1_790_000_000_000_000).expect("in range")))
}

/// An edge that trusts the keys of all scenarios.
pub(crate) fn edge() -> Arc<Edge> {
    let keys = auth::Keys::load(&KEYS.jwks(), devstack::keys::ISSUER, devstack::keys::AUDIENCE).expect("keys");
    Arc::new(Edge::new(Arc::new(keys), &Limits::default()))
}

/// Sends a request to these routes.
pub(crate) async fn send(
    routes: Router,
    who: Who<'_>,
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
    let answer = protect(routes, &Limits::default()).oneshot(request.body(body).expect("a request")).await;
    let answer = answer.expect("answered");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let bytes = answer.into_body().collect().await.expect("a whole body").to_bytes();
    Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}

/// What every scenario of one service has.
pub struct Scene {
    routes: Router,
    clock: Arc<ManualClock>,
    /// The last answer's status.
    pub status: u16,
    /// The last answer's headers.
    pub headers: HeaderMap,
    /// The last answer's body; null where it was not JSON.
    pub body: Value,
}

impl Scene {
    /// Puts up the routes that are made for an edge and a clock.
    pub fn new(routes: impl FnOnce(Arc<Edge>, Arc<ManualClock>) -> Router) -> Self {
        let clock = clock();
        let routes = routes(edge(), clock.clone());
        Self { routes, clock, status: 0, headers: HeaderMap::new(), body: Value::Null }
    }

    /// Sends a request and keeps the answer. Every request is a second later than the one before.
    pub async fn send(
        &mut self,
        role: Option<&str>,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) {
        self.clock.advance(time::Duration::SECOND);
        let who = role.map(|role| (role, role));
        let Answer { status, headers, body } = send(self.routes.clone(), who, method, path, body, headers).await;
        (self.status, self.headers, self.body) = (status, headers, body);
    }
}

impl fmt::Debug for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the last answer was {} {}", self.status, self.body)
    }
}
