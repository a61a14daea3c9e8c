//! Sockets: the operations' listener and the internal one, within a service's limits.

use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use mart_server::listen;

use crate::config::Limits;

/// Serves until `stop`, then finishes the requests in progress for at most `grace`.
pub async fn serve(listener: TcpListener, routes: Router, limits: &Limits, stop: CancellationToken, grace: Duration) {
    let limits = mart_server::Limits {
        connections: limits.connections,
        header_bytes: limits.header_bytes,
        unread_bytes: limits.body_bytes,
        unread_time: limits.timeout / 2,
        ..mart_server::Limits::default()
    };
    mart_server::serve(listener, routes, &limits, stop, grace).await;
}
