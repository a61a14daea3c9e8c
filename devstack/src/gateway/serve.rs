//! Serves the gateway, and rereads its file when it changes.

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

use super::config::{ConsumerKey, File};
use super::limits::Counters;
use super::pipeline::Upstreams;

/// The interval of checks whether the file has changed.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// A parsed file with its decoded keys.
pub(super) struct Table {
    pub(super) file: File,
    pub(super) keys: HashMap<String, ConsumerKey>,
}

/// A gateway that serves a declarative file.
pub struct Gateway {
    path: PathBuf,
    table: RwLock<Arc<Table>>,
    pub(super) counters: Counters,
    pub(super) upstreams: Upstreams,
}

impl Gateway {
    /// Reads the file. An error names what is invalid or not implemented.
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
            // Shorter than a service's own idle timeout, so that the gateway does not reuse a connection that the service closes.
            upstreams: Client::builder(TokioExecutor::new()).pool_idle_timeout(Duration::from_mins(1)).build(connector),
        })
    }

    pub(super) fn table(&self) -> Arc<Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Rereads the file whenever it changes. After an invalid change, the previous version is still served.
    async fn watch(self: Arc<Self>, mut version: Option<FileVersion>) {
        loop {
            tokio::time::sleep(POLL_INTERVAL).await;
            let current = file_version(&self.path);
            if current == version {
                continue;
            }
            version = current;
            match read(&self.path) {
                Ok(table) => {
                    *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
                    tracing::info!("reloaded the gateway's file");
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::error!(error, "the gateway's file is invalid; the previous version is still served");
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
    let context = || format!("{} is invalid", path.display());
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file = File::parse(&text).with_context(context)?;
    let keys = file.keys().with_context(context)?;
    Ok(Table { file, keys })
}

/// The modification time and the inode of a file. The inode distinguishes files that replace each other within one clock tick.
type FileVersion = (SystemTime, u64);

fn file_version(path: &Path) -> Option<FileVersion> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.ino()))
}

/// Serves a file at `address`, and metrics and readiness at `status`, until the process ends.
pub async fn serve(path: &Path, address: SocketAddr, status: SocketAddr) -> Result<()> {
    // Read before the file itself, so that the watcher notices a change in between.
    let version = file_version(path);
    let gateway = Arc::new(Gateway::open(path)?);
    let metrics = PrometheusBuilder::new().install_recorder().context("cannot install the metrics recorder")?;
    let status_routes = Router::new()
        .route("/metrics", get(move || std::future::ready(metrics.render())))
        .route("/status/ready", get(|| std::future::ready("{}")));
    let routes = Router::new().fallback(handle).with_state(gateway.clone());
    let (listener, status) = (listen(address).await?, listen(status).await?);
    tracing::info!(%address, "serving the development gateway; use a real Kong elsewhere");
    tokio::spawn(gateway.watch(version));
    let (limits, forever) = (Limits::default(), CancellationToken::new());
    tokio::join!(
        mart_server::serve(listener, routes, &limits, forever.clone(), Duration::ZERO),
        mart_server::serve(status, status_routes, &limits, forever, Duration::ZERO),
    );
    Ok(())
}

async fn handle(
    State(gateway): State<Arc<Gateway>>,
    Extension(Peer(peer)): Extension<Peer>,
    request: Request<Body>,
) -> Response<Body> {
    gateway.handle(peer, request).await
}
