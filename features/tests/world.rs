//! The mart of one scenario: real routers and cores over stores in memory, with a clock that the scenario moves.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use devstack::keys::Keys;
use http_body_util::BodyExt;
use hyper::{HeaderMap, Request};
use mart_chassis::auth;
use mart_chassis::config::Limits;
use mart_chassis::http::{Edge, protect};
use mart_kernel::clock::ManualClock;
use mart_kernel::ids::CountingIds;
use mart_kernel::{PageSeal, Timestamp};
use product_core::Catalogue;
use product_core::memory::MemoryProducts;
use product_service::adapters::http::Http;
use product_service::generated::http;
use serde_json::Value;
use tower::ServiceExt;

/// One set of keys for all scenarios; making some anew for each would prove nothing more.
static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("mart-features-{}", std::process::id()));
    Keys::in_folder(&folder).expect("keys")
});

/// What a scenario sees and remembers.
#[derive(cucumber::World)]
#[world(init = Self::new)]
pub(crate) struct World {
    routes: Router,
    pub(crate) store: MemoryProducts,
    clock: Arc<ManualClock>,
    /// The last answer.
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    /// Products by the name that they were created with.
    pub(crate) ids: HashMap<String, String>,
    /// What was read before.
    pub(crate) read: Value,
    /// The next page that was given.
    pub(crate) token: String,
    /// The names of the products that the last list had.
    pub(crate) listed: Vec<String>,
    /// How many events were told before the last `When`.
    pub(crate) told: usize,
}

impl World {
    fn new() -> Self {
        let start = Timestamp::from_unix_micros(1_790_000_000_000_000).expect("in range");
        let (store, clock) = (MemoryProducts::default(), Arc::new(ManualClock::new(start)));
        let keys = auth::Keys::load(&KEYS.jwks(), devstack::keys::ISSUER, devstack::keys::AUDIENCE).expect("keys");
        let edge = Arc::new(Edge::new(Arc::new(keys), &Limits::default()));
        let ids = Arc::new(CountingIds::default());
        let catalogue = Catalogue::new(store.clone(), clock.clone(), ids, PageSeal::new(b"a scenario's secret"));
        let routes = protect(http::router(Arc::new(Http::new(catalogue)), edge), &Limits::default());
        Self {
            routes,
            store,
            clock,
            status: 0,
            headers: HeaderMap::new(),
            body: Value::Null,
            ids: HashMap::new(),
            read: Value::Null,
            token: String::new(),
            listed: Vec::new(),
            told: 0,
        }
    }

    /// Sends a request and keeps the answer. Every request is a second later than the one before.
    pub(crate) async fn send(
        &mut self,
        role: Option<&str>,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) {
        self.clock.advance(time::Duration::SECOND);
        let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        if let Some(role) = role {
            request = request.header("authorization", format!("Bearer {}", KEYS.token(role, role).expect("signed")));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let answer = self.routes.clone().oneshot(request.body(body).expect("a request")).await.expect("answered");
        self.status = answer.status().as_u16();
        self.headers = answer.headers().clone();
        let bytes = answer.into_body().collect().await.expect("a whole body").to_bytes();
        self.body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the last answer was {} {}", self.status, self.body)
    }
}
