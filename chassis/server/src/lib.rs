//! HTTP/1.1 on a socket: a listener, limits for every connection, announced closes, and a graceful shutdown.

mod unread;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// The limits of connections.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The maximum number of open connections. Further ones wait to be accepted.
    pub connections: usize,
    /// The maximum size of all header lines of a request, in bytes. A connection with more than four times as many is closed. Sizes
    /// in between are rejected by the router's own limit.
    pub header_bytes: usize,
    /// The maximum time from the end of one request to the end of the next one's header lines. It is longer than a gateway keeps
    /// idle connections, so that the gateway never reuses a connection that we are closing.
    pub idle: Duration,
    /// The maximum number of bytes that are drained from an unread body, so that the connection can be reused.
    pub unread_bytes: usize,
    /// The maximum time for draining them.
    pub unread_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            header_bytes: 16 * 1024,
            idle: Duration::from_secs(65),
            unread_bytes: 1024 * 1024,
            unread_time: Duration::from_secs(5),
        }
    }
}

/// The peer address of a connection; an extension of every request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Opens a listener. The error has the address.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("can't listen on {address}: {error}")))
}

/// Serves until `stop`, then finishes open requests for at most `grace`.
pub async fn serve(listener: TcpListener, routes: Router, limits: &Limits, stop: CancellationToken, grace: Duration) {
    let server = builder(limits);
    let graceful = GracefulShutdown::new();
    let permits = Arc::new(Semaphore::new(limits.connections));
    let (unread_bytes, unread_time) = (limits.unread_bytes, limits.unread_time);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = async {
                let permit = permits.clone().acquire_owned().await;
                listener.accept().await.map(|(stream, peer)| (stream, peer, permit))
            } => accepted,
        };
        let (stream, peer, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                // Most likely there are no file descriptors left: wait for other connections to close.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        let routes = TowerToHyperService::new(routes.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (mut request, unread) = unread::track(request.map(Body::new));
            request.extensions_mut().insert(Peer(peer));
            let response = routes.call(request);
            async move {
                let mut response = response.await?;
                if let Some(unread) = unread {
                    unread.drain_or_close(&mut response, unread_bytes, unread_time).await;
                }
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        let connection = graceful.watch(server.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            let _permit = permit;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end within the grace period");
    }
}

/// Returns a server of HTTP/1.1 only: gateways use it for their upstreams, and it has no handshake in which a client can stall.
fn builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle)
        .max_headers(128)
        // Four times the limit, so that a request that is slightly too large gets a problem as its response.
        .max_buf_size(limits.header_bytes * 4);
    builder
}
