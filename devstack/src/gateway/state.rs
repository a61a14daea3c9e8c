//! The gateway: its declarative file, its counters and its connections to the services.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::body::Body;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::config::{ConsumerKey, File};
use super::limits::Counters;

/// The HTTP client for all services.
pub(super) type Upstreams = Client<HttpConnector, Body>;

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

    /// Reads the file again. After an invalid change, the previous version is still served.
    pub(super) fn reload(&self) {
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

    pub(super) fn table(&self) -> Arc<Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Reads and parses the file.
fn read(path: &Path) -> Result<Table> {
    let context = || format!("{} is invalid", path.display());
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file = File::parse(&text).with_context(context)?;
    let keys = file.keys().with_context(context)?;
    Ok(Table { file, keys })
}
