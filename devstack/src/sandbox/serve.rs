//! The sandbox as a process: its API, its page, and the words that it sends until the mart has heard them.

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

use super::books::{Action, Books, Refused, Word, sign};
use super::page::page;

/// How often a word is tried that nobody hears, and the pause that doubles in between.
const TRIES: u32 = 6;
const PAUSE: Duration = Duration::from_millis(500);

/// How the sandbox is run.
#[derive(Debug, Clone)]
pub struct ServiceSpec {
    /// Where it serves.
    pub address: SocketAddr,
    /// The address of its pages, as customers reach them.
    pub page: String,
    /// Where its words go.
    pub callback: String,
    /// What lets somebody use its API.
    pub key: String,
    /// What it signs with.
    pub secret: String,
}

/// Tells the time; a scenario's own stands still.
pub type Now = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;

struct Sandbox {
    books: Arc<Mutex<Books>>,
    setting: ServiceSpec,
    now: Now,
    client: reqwest::Client,
}

impl Sandbox {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a word so often, each until it is heard; the tasks that do it.
    fn tell(self: &Arc<Self>, word: Word) -> JoinSet<()> {
        let Word { body, calls, delay_ms } = word;
        let mut telling = JoinSet::new();
        for _ in 0..calls {
            let (sandbox, body) = (self.clone(), body.clone());
            telling.spawn(async move {
                tokio::time::sleep(Duration::from_millis(delay_ms)).await;
                for nth in 0..TRIES {
                    if sandbox.heard(&body).await {
                        return;
                    }
                    tokio::time::sleep(PAUSE * 2_u32.pow(nth)).await;
                }
                tracing::warn!("a word was not heard: the mart will ask");
            });
        }
        telling
    }

    async fn heard(&self, body: &str) -> bool {
        let signature = sign(&self.setting.secret, body, OffsetDateTime::now_utc());
        let request = self.client.post(&self.setting.callback).header("Sandbox-Signature", signature);
        let request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_owned());
        match request.send().await {
            Ok(answer) if answer.status().is_success() => true,
            Ok(answer) => {
                tracing::warn!(status = answer.status().as_u16(), "the mart refused a word");
                false
            }
            Err(error) => {
                tracing::warn!(%error, "the mart does not answer");
                false
            }
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "there is no such thing").into_response(),
            Self::Conflict(why) => (StatusCode::CONFLICT, why).into_response(),
        }
    }
}

type Shared = State<Arc<Sandbox>>;

/// Serves the sandbox until the process ends.
pub async fn serve(setting: ServiceSpec) -> Result<()> {
    let address = setting.address;
    let routes = routes(Arc::default(), setting, Arc::new(OffsetDateTime::now_utc))?;
    let listener = TcpListener::bind(address).await.with_context(|| format!("can't listen on {address}"))?;
    tracing::info!(%address, "the sandbox serves; it takes no money");
    Ok(axum::serve(listener, routes).await?)
}

/// Its API and its page over books.
pub fn routes(books: Arc<Mutex<Books>>, setting: ServiceSpec, now: Now) -> Result<Router> {
    let client = crate::http::builder().timeout(Duration::from_secs(10)).build()?;
    let sandbox = Arc::new(Sandbox { books, setting, now, client });
    let api = Router::new()
        .route("/api/checkouts/{id}", put(open).get(look))
        .route("/api/checkouts/{id}/end", post(end))
        .route("/api/refunds/{id}", put(refund))
        .layer(middleware::from_fn_with_state(sandbox.clone(), with_key));
    let page = api.route("/pay/{id}", get(show).post(act));
    Ok(page.route("/readyz", get(|| std::future::ready("ok"))).with_state(sandbox))
}

async fn with_key(State(sandbox): Shared, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given == Some(&format!("Bearer {}", sandbox.setting.key)) {
        next.run(request).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

async fn open(
    State(sandbox): Shared,
    Path(id): Path<String>,
    Json(asked): Json<Value>,
) -> Result<Json<Value>, Refused> {
    sandbox.books().open(&id, &asked, &sandbox.setting.page).map(Json)
}

async fn look(State(sandbox): Shared, Path(id): Path<String>) -> Result<Json<Value>, Refused> {
    sandbox.books().look(&id, (sandbox.now)()).map(Json)
}

async fn end(State(sandbox): Shared, Path(id): Path<String>) -> Result<Json<Value>, Refused> {
    sandbox.books().end(&id)?;
    Ok(Json(json!({})))
}

async fn refund(
    State(sandbox): Shared,
    Path(id): Path<String>,
    Json(asked): Json<Value>,
) -> Result<Json<Value>, Refused> {
    sandbox.books().refund(&id, &asked).map(Json)
}

async fn show(State(sandbox): Shared, Path(id): Path<String>) -> Response {
    let shown = sandbox.books().shown(&id, (sandbox.now)());
    let status = if shown.is_ok() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let shown = shown.ok();
    let shown = shown.as_ref().map(|(order, amount, stands)| (order.as_str(), amount.as_str(), *stands));
    (status, Html(page(shown))).into_response()
}

/// A form of the page, or JSON of a test.
async fn act(State(sandbox): Shared, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let form = !kind.starts_with("application/json");
    let action = if form { form_action(&body) } else { serde_json::from_slice(&body).ok() };
    let Some(action): Option<Action> = action else {
        return (StatusCode::BAD_REQUEST, "say action: pay, decline or leave").into_response();
    };
    let acted = sandbox.books().act(&id, &action, (sandbox.now)());
    match acted {
        Ok(word) => {
            let now = word.delay_ms == 0;
            let mut telling = sandbox.tell(word);
            if form || !now {
                telling.detach_all();
            }
            // A test wants to know when all was heard that is heard at once.
            while telling.join_next().await.is_some() {}
            if form { Redirect::to(&format!("/pay/{id}")).into_response() } else { StatusCode::OK.into_response() }
        }
        Err(refused) => refused.into_response(),
    }
}

fn form_action(body: &[u8]) -> Option<Action> {
    let mut members = serde_json::Map::new();
    // A field that was left empty says nothing.
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
    use crate::sandbox::Kind;

    #[test]
    fn a_form_says_what_was_filled_in() {
        let action = form_action(b"action=pay&amount=&currencyCode=USD&calls=2&delayMs=").expect("an action");
        assert_eq!((action.action, action.amount, action.calls, action.delay_ms), (Kind::Pay, None, Some(2), 0));
        assert_eq!(action.currency_code.as_deref(), Some("USD"));
        assert!(form_action(b"action=steal").is_none() && form_action(b"").is_none());
    }
}
