//! The listener, and the file that is read again when it changes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::response::Response;
use axum::routing::get;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use mart_server::{Limits, Peer, listen};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio_util::sync::CancellationToken;

use super::config::{File, Known};
use super::limits::Counters;
use super::pipeline::Upstreams;

/// Between two looks at the file.
const LOOK: Duration = Duration::from_millis(200);

/// What a file says.
pub(super) struct Table {
    pub(super) file: File,
    pub(super) known: HashMap<String, Known>,
}

/// A gateway over a file.
pub struct Gateway {
    path: PathBuf,
    table: RwLock<Arc<Table>>,
    pub(super) counters: Counters,
    pub(super) upstreams: Upstreams,
}

impl Gateway {
    /// Reads the file; an error says what of it is wrong, or not implemented.
    pub fn open(path: &Path) -> Result<Self> {
        let table = read(path)?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let slowest = table.file.services.iter().map(|service| service.connect_timeout).max();
        connector.set_connect_timeout(slowest.map(Duration::from_millis));
        Ok(Self {
            path: path.to_owned(),
            table: RwLock::new(Arc::new(table)),
            counters: Counters::default(),
            // Shorter than a service keeps its own.
            upstreams: Client::builder(TokioExecutor::new()).pool_idle_timeout(Duration::from_mins(1)).build(connector),
        })
    }

    pub(super) fn table(&self) -> Arc<Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the file again whenever it changes. One that can't be used leaves the old one serving.
    async fn follow(self: Arc<Self>, mut seen: Option<Stamp>) {
        loop {
            tokio::time::sleep(LOOK).await;
            let now = modified(&self.path);
            if now == seen {
                continue;
            }
            seen = now;
            match read(&self.path) {
                Ok(table) => {
                    *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
                    tracing::info!("the gateway's file was read again");
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::error!(error, "the gateway's file can't be used; the old one goes on serving");
                }
            }
        }
    }
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("path", &self.path).finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<Table> {
    let told = || format!("{} can't be used", path.display());
    let text = std::fs::read_to_string(path).with_context(told)?;
    let file = File::parse(&text).with_context(told)?;
    let known = file.known().with_context(told)?;
    Ok(Table { file, known })
}

/// When a file was written and which one it is: two that take one's place within a tick of the clock are two.
type Stamp = (SystemTime, u64);

fn modified(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.ino()))
}

/// Serves a file at an address, and what was measured at another one, until the process ends.
pub async fn serve(path: &Path, address: SocketAddr, status: SocketAddr) -> Result<()> {
    // Before the file is read: a change in between is seen at the next look.
    let seen = modified(path);
    let gateway = Arc::new(Gateway::open(path)?);
    let measured = PrometheusBuilder::new().install_recorder().context("nothing else measures in this process")?;
    let status_routes = Router::new()
        .route("/metrics", get(move || std::future::ready(measured.render())))
        .route("/status/ready", get(|| std::future::ready("{}")));
    let routes = Router::new().fallback(answer).with_state(gateway.clone());
    let (listener, status) = (listen(address).await?, listen(status).await?);
    tracing::info!(%address, "the gateway of one developer's machine serves; others use a real Kong");
    tokio::spawn(gateway.follow(seen));
    let (limits, forever) = (Limits::default(), CancellationToken::new());
    tokio::join!(
        mart_server::serve(listener, routes, &limits, forever.clone(), Duration::ZERO),
        mart_server::serve(status, status_routes, &limits, forever, Duration::ZERO),
    );
    Ok(())
}

async fn answer(
    State(gateway): State<Arc<Gateway>>,
    Extension(Peer(peer)): Extension<Peer>,
    request: Request<Body>,
) -> Response<Body> {
    gateway.answer(peer, request).await
}
