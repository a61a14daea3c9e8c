//! HTTP/1.1 on a socket: one listener, limits for every connection, answers that never cut one off without a word, and a drain
//! that lets requests finish.

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

/// What a connection may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
    /// All header lines of a request together, in bytes. Beyond four times as many the connection ends; what is in between is
    /// refused by who answers.
    pub header_bytes: usize,
    /// From the end of one request to the end of the next one's header lines. Longer than a gateway keeps its own idle connections, so
    /// that it never reuses one that is closed here.
    pub idle: Duration,
    /// How many bytes are read of a body that nobody wanted, so that the connection can be used again.
    pub unread_bytes: usize,
    /// For how long they are read.
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

/// Who is at the other end of a connection; an extension of every request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Opens a listener; an error names the address that was taken.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("can't listen on {address}: {error}")))
}

/// Serves until `stop`, then finishes the requests that have begun, for `grace` at most.
pub async fn serve(listener: TcpListener, routes: Router, limits: &Limits, stop: CancellationToken, grace: Duration) {
    let server = builder(limits);
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.connections));
    let (unread_bytes, unread_time) = (limits.unread_bytes, limits.unread_time);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = async {
                let place = places.clone().acquire_owned().await;
                listener.accept().await.map(|(stream, peer)| (stream, peer, place))
            } => accepted,
        };
        let (stream, peer, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                // Out of file descriptors, most likely: give those that are open a moment to end.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        let routes = TowerToHyperService::new(routes.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (mut request, unread) = unread::lend(request.map(Body::new));
            request.extensions_mut().insert(Peer(peer));
            let answering = routes.call(request);
            async move {
                let mut response = answering.await?;
                if let Some(unread) = unread {
                    unread.settle(&mut response, unread_bytes, unread_time).await;
                }
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        let connection = graceful.watch(server.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            let _place = place;
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

/// HTTP/1.1 only: that is what a gateway speaks to its services, and it leaves no handshake to stall in.
fn builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle)
        .max_headers(128)
        // Four times the limit, so that a request that is somewhat too large is told so as a problem.
        .max_buf_size(limits.header_bytes * 4);
    builder
}
