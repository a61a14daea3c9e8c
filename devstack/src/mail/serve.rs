//! Serves the mail server: SMTP, the web page, and an API for tests.

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

/// The maximum number of mails on the page, and the API's default.
const PAGE: usize = 100;

/// The configuration of the mail server.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The address of SMTP.
    pub smtp: SocketAddr,
    /// The address of the web page.
    pub page: SocketAddr,
    /// The folder of the mails.
    pub folder: PathBuf,
    /// The pattern of accepted mailboxes; `None` accepts all.
    pub only: Option<Regex>,
}

/// Serves the mail server until the process ends.
pub async fn serve(config: MailConfig) -> Result<()> {
    let MailConfig { smtp, page, folder, only } = config;
    let store = Arc::new(Mutex::new(Store::open(&folder)?));
    let bind = async |address: SocketAddr| {
        TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
    };
    let (mails, pages) = (bind(smtp).await?, bind(page).await?);
    tracing::info!(%smtp, %page, "serving the mail server; it forwards no mail");
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
struct MailQuery {
    #[serde(default)]
    to: String,
    limit: Option<usize>,
}

impl MailQuery {
    fn find(&self, store: &Store) -> Vec<Arc<Mail>> {
        let to = Some(self.to.trim()).filter(|to| !to.is_empty());
        store.newest(to).take(self.limit.unwrap_or(PAGE)).cloned().collect()
    }
}

fn read(store: &Shared) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn list(State(store): State<Shared>, Query(query): Query<MailQuery>) -> Html<String> {
    let found = query.find(&read(&store));
    Html(page::list(&query.to, &found))
}

async fn mails(State(store): State<Shared>, Query(query): Query<MailQuery>) -> Response {
    let found = query.find(&read(&store));
    Json(found.iter().map(AsRef::as_ref).collect::<Vec<&Mail>>()).into_response()
}

async fn show(State(store): State<Shared>, Path(id): Path<u64>) -> Response {
    match read(&store).find(id) {
        Some(mail) => Html(page::mail(&mail)).into_response(),
        None => (StatusCode::NOT_FOUND, "no such mail").into_response(),
    }
}

/// Returns the HTML of a mail. The policy blocks scripts and external resources, as a mail client does.
async fn html(State(store): State<Shared>, Path(id): Path<u64>) -> Response {
    const POLICY: &str = "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:";
    match read(&store).find(id) {
        Some(mail) => ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(mail.html.clone())).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn source(State(store): State<Shared>, Path(id): Path<u64>) -> Response {
    let (content_type, nosniff) =
        ((header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    match read(&store).source(id) {
        Some(source) => ([content_type, nosniff], source).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
