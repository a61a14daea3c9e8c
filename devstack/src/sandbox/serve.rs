//! Serves the sandbox: its API, its payment page, and its webhooks with retries.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::checkouts::{Action, ActionError, Checkouts, WebhookDelivery, sign};
use super::page::page;

/// The number of attempts to deliver a webhook.
const ATTEMPTS: u32 = 6;
/// The delay before the second attempt. It doubles before each further attempt.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// The configuration of the sandbox.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// The address to listen on.
    pub address: SocketAddr,
    /// The base URL of the payment pages for customers.
    pub page: String,
    /// The URL that receives the webhooks.
    pub callback: String,
    /// The key of the API.
    pub key: String,
    /// The secret that signs webhooks.
    pub secret: String,
}

/// Returns the current time. Scenarios use a clock that they control.
pub type Now = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;

struct Sandbox {
    checkouts: Arc<Mutex<Checkouts>>,
    config: SandboxConfig,
    now: Now,
    client: reqwest::Client,
}

impl Sandbox {
    fn checkouts(&self) -> MutexGuard<'_, Checkouts> {
        self.checkouts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a webhook as often as requested, each time with retries. Returns the tasks that do so.
    fn deliver(self: &Arc<Self>, webhook: WebhookDelivery) -> JoinSet<()> {
        let WebhookDelivery { body, calls, delay_ms } = webhook;
        let mut deliveries = JoinSet::new();
        for _ in 0..calls {
            let (sandbox, body) = (self.clone(), body.clone());
            deliveries.spawn(async move {
                tokio::time::sleep(Duration::from_millis(delay_ms)).await;
                for nth in 0..ATTEMPTS {
                    if sandbox.try_deliver(&body).await {
                        return;
                    }
                    tokio::time::sleep(RETRY_DELAY * 2_u32.pow(nth)).await;
                }
                tracing::warn!("a webhook was not delivered; the mart has to poll the checkout");
            });
        }
        deliveries
    }

    /// Sends a webhook once. Returns whether the mart has accepted it.
    async fn try_deliver(&self, body: &str) -> bool {
        let signature = sign(&self.config.secret, body, OffsetDateTime::now_utc());
        let request = self.client.post(&self.config.callback).header("Sandbox-Signature", signature);
        let request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_owned());
        match request.send().await {
            Ok(response) if response.status().is_success() => true,
            Ok(response) => {
                tracing::warn!(status = response.status().as_u16(), "the mart rejected a webhook");
                false
            }
            Err(error) => {
                tracing::warn!(%error, "the mart does not respond");
                false
            }
        }
    }
}

impl IntoResponse for ActionError {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not found").into_response(),
            Self::Conflict(reason) => (StatusCode::CONFLICT, reason).into_response(),
        }
    }
}

type Shared = State<Arc<Sandbox>>;

/// Serves the sandbox until the process ends.
pub async fn serve(config: SandboxConfig) -> Result<()> {
    let address = config.address;
    let routes = routes(Arc::default(), config, Arc::new(OffsetDateTime::now_utc))?;
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    tracing::info!(%address, "serving the payment sandbox; it takes no money");
    Ok(axum::serve(listener, routes).await?)
}

/// Returns the routes of the API and the payment page.
pub fn routes(checkouts: Arc<Mutex<Checkouts>>, config: SandboxConfig, now: Now) -> Result<Router> {
    let client = crate::http::builder().timeout(Duration::from_secs(10)).build()?;
    let sandbox = Arc::new(Sandbox { checkouts, config, now, client });
    let api = Router::new()
        .route("/api/checkouts/{id}", put(open).get(events))
        .route("/api/checkouts/{id}/end", post(end))
        .route("/api/refunds/{id}", put(refund))
        .layer(middleware::from_fn_with_state(sandbox.clone(), with_key));
    let page = api.route("/pay/{id}", get(show).post(act));
    Ok(page.route("/readyz", get(|| std::future::ready("ok"))).with_state(sandbox))
}

async fn with_key(State(sandbox): Shared, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given == Some(&format!("Bearer {}", sandbox.config.key)) {
        next.run(request).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

async fn open(
    State(sandbox): Shared,
    Path(id): Path<String>,
    Json(request): Json<Value>,
) -> Result<Json<Value>, ActionError> {
    sandbox.checkouts().open(&id, &request, &sandbox.config.page).map(Json)
}

async fn events(State(sandbox): Shared, Path(id): Path<String>) -> Result<Json<Value>, ActionError> {
    sandbox.checkouts().events(&id, (sandbox.now)()).map(Json)
}

async fn end(State(sandbox): Shared, Path(id): Path<String>) -> Result<Json<Value>, ActionError> {
    sandbox.checkouts().end(&id)?;
    Ok(Json(json!({})))
}

async fn refund(
    State(sandbox): Shared,
    Path(id): Path<String>,
    Json(request): Json<Value>,
) -> Result<Json<Value>, ActionError> {
    sandbox.checkouts().refund(&id, &request).map(Json)
}

async fn show(State(sandbox): Shared, Path(id): Path<String>) -> Response {
    let summary = sandbox.checkouts().summary(&id, (sandbox.now)());
    let status = if summary.is_ok() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let summary = summary.ok();
    let summary = summary.as_ref().map(|(order, amount, state)| (order.as_str(), amount.as_str(), *state));
    (status, Html(page(summary))).into_response()
}

/// Performs an action, which is a form of the page or JSON of a test.
async fn act(State(sandbox): Shared, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = !content_type.starts_with("application/json");
    let action = if form { form_action(&body) } else { serde_json::from_slice(&body).ok() };
    let Some(action): Option<Action> = action else {
        return (StatusCode::BAD_REQUEST, "action must be pay, decline or leave").into_response();
    };
    let result = sandbox.checkouts().act(&id, &action, (sandbox.now)());
    match result {
        Ok(webhook) => {
            let immediate = webhook.delay_ms == 0;
            let mut deliveries = sandbox.deliver(webhook);
            if form || !immediate {
                deliveries.detach_all();
            }
            // The response to a test is sent after its webhooks were delivered, unless they are delayed.
            while deliveries.join_next().await.is_some() {}
            if form { Redirect::to(&format!("/pay/{id}")).into_response() } else { StatusCode::OK.into_response() }
        }
        Err(error) => error.into_response(),
    }
}

fn form_action(body: &[u8]) -> Option<Action> {
    let mut members = serde_json::Map::new();
    // An empty field counts as absent.
    for (name, value) in form_urlencoded::parse(body).filter(|(_, value)| !value.is_empty()) {
        let number = ["calls", "delayMs"].contains(&&*name);
        let value = if number { json!(value.parse::<u64>().ok()?) } else { Value::String(value.into_owned()) };
        members.insert(name.into_owned(), value);
    }
    serde_json::from_value(Value::Object(members)).ok()
}

#[cfg(test)]
mod tests {
    use super::form_action;
    use crate::sandbox::ActionKind;

    #[test]
    fn empty_form_fields_are_ignored() {
        let action = form_action(b"action=pay&amount=&currencyCode=USD&calls=2&delayMs=").expect("an action");
        assert_eq!((action.action, action.amount, action.calls, action.delay_ms), (ActionKind::Pay, None, Some(2), 0));
        assert_eq!(action.currency_code.as_deref(), Some("USD"));
        assert!(form_action(b"action=steal").is_none() && form_action(b"").is_none());
    }
}
