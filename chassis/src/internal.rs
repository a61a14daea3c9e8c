//! The internal listener: health, metrics, the outbox's length and dead letters, for operators and monitoring.
//!
//! The gateway never routes to it. It requires no token, so its address must be reachable for operators only.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hyper::{StatusCode, header};
use mart_kernel::StoreError;
use serde::{Deserialize, Serialize};

use crate::Database;
use crate::consumer::{DeadLetter, Inbox};
use crate::http::{ApiError, Problem};

#[derive(Clone)]
pub(crate) struct Internal {
    pub(crate) database: Database,
    pub(crate) inbox: Inbox,
    /// Whether the service is shutting down.
    pub(crate) draining: Arc<AtomicBool>,
}

pub(crate) fn router(internal: Internal) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/outbox", get(outbox))
        .route("/dead-letters", get(list))
        .route("/dead-letters/{id}", get(show).delete(discard))
        .route("/dead-letters/{id}/replay", post(replay))
        .with_state(internal)
}

async fn ready(State(internal): State<Internal>) -> (StatusCode, &'static str) {
    if internal.draining.load(Ordering::Relaxed) {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else if internal.database.ping().await {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
    }
}

async fn metrics(State(internal): State<Internal>) -> impl IntoResponse {
    // If the database is unavailable, the other metrics are still returned.
    let counts = async { tokio::join!(internal.inbox.counts(), pending(&internal.database)) };
    if let Ok((inbox, outbox)) = tokio::time::timeout(Duration::from_secs(1), counts).await {
        if let Ok((pending, dead_letters)) = inbox {
            gauge("inbox_pending", pending);
            gauge("inbox_dead_letters", dead_letters);
        }
        if let Ok(outbox) = outbox {
            gauge("outbox_pending", outbox.pending);
            metrics::gauge!("outbox_oldest_age_seconds").set(outbox.oldest_seconds.unwrap_or(0.0));
        }
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], crate::telemetry::render())
}

fn gauge(name: &'static str, count: i64) {
    metrics::gauge!(name).set(f64::from(i32::try_from(count).unwrap_or(i32::MAX)));
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outbox {
    /// The number of rows that are not published yet.
    pending: i64,
    /// The age of the oldest row in seconds.
    oldest_seconds: Option<f64>,
}

async fn pending(database: &Database) -> Result<Outbox, StoreError> {
    let sql = "select count(*), extract(epoch from now() - min(at))::float8 from outbox";
    let found: Result<(i64, Option<f64>), _> = sqlx::query_as(sql).fetch_one(database.pool()).await;
    found
        .map(|(pending, oldest_seconds)| Outbox { pending, oldest_seconds })
        .map_err(|error| crate::db::unavailable(&error))
}

async fn outbox(State(internal): State<Internal>) -> Result<Json<Outbox>, Problem> {
    Ok(Json(pending(&internal.database).await.map_err(unavailable)?))
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeadLetters {
    dead_letters: Vec<DeadLetter>,
    /// The `after` of the next page; `None` if this page is not full.
    next_after: Option<i64>,
}

async fn list(
    State(internal): State<Internal>,
    Query(After { after }): Query<After>,
) -> Result<Json<DeadLetters>, Problem> {
    let dead_letters = internal.inbox.letters(after, 100).await.map_err(unavailable)?;
    let next_after = dead_letters.last().filter(|_| dead_letters.len() == 100).map(|letter| letter.id);
    Ok(Json(DeadLetters { dead_letters, next_after }))
}

async fn show(State(internal): State<Internal>, Path(id): Path<i64>) -> Result<Json<DeadLetter>, Problem> {
    internal.inbox.letter(id).await.map_err(unavailable)?.map(Json).ok_or_else(no_letter)
}

async fn replay(State(internal): State<Internal>, Path(id): Path<i64>) -> Response {
    respond(internal.inbox.replay(id).await, StatusCode::ACCEPTED)
}

async fn discard(State(internal): State<Internal>, Path(id): Path<i64>) -> Response {
    respond(internal.inbox.discard(id).await, StatusCode::NO_CONTENT)
}

fn respond(done: Result<bool, StoreError>, status: StatusCode) -> Response {
    match done {
        Ok(true) => status.into_response(),
        Ok(false) => no_letter().into_response(),
        Err(error) => unavailable(error).into_response(),
    }
}

fn no_letter() -> Problem {
    Problem::new(404, "DEAD_LETTER_NOT_FOUND", "There is no such dead letter. It may have been replayed or discarded.")
}

fn unavailable(error: StoreError) -> Problem {
    ApiError::from(error).into()
}
