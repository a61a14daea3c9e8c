//! Serves the gateway, and rereads its file when it changes.

use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::response::Response;
use axum::routing::get;
use mart_server::{Limits, Peer, listen};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio_util::sync::CancellationToken;

use super::state::Gateway;

/// The interval of checks whether the file has changed.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Rereads the file of a gateway whenever it changes.
async fn watch(gateway: Arc<Gateway>, path: PathBuf, mut version: Option<FileVersion>) {
    loop {
        tokio::time::sleep(POLL_INTERVAL).await;
        let current = file_version(&path);
        if current != version {
            version = current;
            gateway.reload();
        }
    }
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
    tokio::spawn(watch(gateway, path.to_owned(), version));
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
