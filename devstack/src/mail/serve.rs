//! The mail server as a process: SMTP, its page, and an API for tests.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use regex::Regex;
use serde::Deserialize;
use tokio::net::TcpListener;

use super::page;
use super::smtp::{self, Shared};
use super::store::{Mail, Store};

/// How many mails a page shows, and the API where nobody says.
const PAGE: usize = 100;

/// How the mail server is run.
#[derive(Debug, Clone)]
pub struct ServiceSpec {
    /// Where it takes mails.
    pub smtp: SocketAddr,
    /// Where its page is.
    pub page: SocketAddr,
    /// Where it keeps them.
    pub folder: PathBuf,
    /// Mailboxes that it takes mails for; all without it.
    pub only: Option<Regex>,
}

/// Serves until the process ends.
pub async fn serve(setting: ServiceSpec) -> Result<()> {
    let ServiceSpec { smtp, page, folder, only } = setting;
    let store = Arc::new(Mutex::new(Store::open(&folder)?));
    let bind = async |address: SocketAddr| {
        TcpListener::bind(address).await.with_context(|| format!("can't listen on {address}"))
    };
    let (mails, pages) = (bind(smtp).await?, bind(page).await?);
    tracing::info!(%smtp, %page, "the mail server serves; it sends nothing on");
    tokio::select! {
        ended = smtp::serve(mails, store.clone(), only) => ended,
        ended = axum::serve(pages, routes(store)) => Ok(ended?),
    }
}

fn routes(store: Shared) -> Router {
    Router::new()
        .route("/", get(list))
        .route("/mails/{id}", get(show))
        .route("/mails/{id}/html", get(html))
        .route("/mails/{id}/source", get(source))
        .route("/api/mails", get(mails))
        .route("/readyz", get(|| std::future::ready("ok")))
        .with_state(store)
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    to: String,
    limit: Option<usize>,
}

impl Asked {
    fn find(&self, store: &Store) -> Vec<Arc<Mail>> {
        let to = Some(self.to.trim()).filter(|to| !to.is_empty());
        store.newest(to).take(self.limit.unwrap_or(PAGE)).cloned().collect()
    }
}

fn read(store: &Shared) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn list(State(store): State<Shared>, Query(asked): Query<Asked>) -> Html<String> {
    let found = asked.find(&read(&store));
    Html(page::list(&asked.to, &found))
}

async fn mails(State(store): State<Shared>, Query(asked): Query<Asked>) -> Response {
    let found = asked.find(&read(&store));
    Json(found.iter().map(AsRef::as_ref).collect::<Vec<&Mail>>()).into_response()
}

async fn show(State(store): State<Shared>, Path(id): Path<u64>) -> Response {
    match read(&store).find(id) {
        Some(mail) => Html(page::mail(&mail)).into_response(),
        None => (StatusCode::NOT_FOUND, "there is no such mail").into_response(),
    }
}

/// What the sender made of HTML: shown as a mail client shows it, without scripts and without anything from elsewhere.
async fn html(State(store): State<Shared>, Path(id): Path<u64>) -> Response {
    const POLICY: &str = "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:";
    match read(&store).find(id) {
        Some(mail) => ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(mail.html.clone())).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn source(State(store): State<Shared>, Path(id): Path<u64>) -> Response {
    let (kind, nosniff) =
        ((header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    match read(&store).source(id) {
        Some(source) => ([kind, nosniff], source).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
