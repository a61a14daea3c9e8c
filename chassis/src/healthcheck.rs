//! `service healthcheck`, the health check of a container: it needs no other program in the image.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::Config;

const TIMEOUT: Duration = Duration::from_secs(3);
const BODY_BYTES: usize = 1024;

/// Why a service is not ready.
#[derive(Debug, thiserror::Error)]
pub enum Unhealthy {
    /// Nothing answers, or not over HTTP.
    #[error("the service does not answer at {0}")]
    Unreachable(SocketAddr, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer took too long.
    #[error("the service has not answered at {0} within 3 s")]
    TimedOut(SocketAddr),
    /// The service is not ready, for this reason.
    #[error("the service is not ready ({0}): {1}")]
    NotReady(StatusCode, String),
}

/// Asks the running service of this configuration whether it is ready, by `GET /readyz` at `INTERNAL_ADDR`.
pub async fn healthcheck(config: &Config) -> Result<(), Unhealthy> {
    let address = reachable(config.internal_addr);
    let answer = tokio::time::timeout(TIMEOUT, ask(address)).await.map_err(|_| Unhealthy::TimedOut(address))?;
    let (status, reason) = answer.map_err(|error| Unhealthy::Unreachable(address, error))?;
    if status.is_success() { Ok(()) } else { Err(Unhealthy::NotReady(status, reason)) }
}

/// Returns the address at which a listener of this machine is reached.
fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener {
        SocketAddr::V4(at) if at.ip().is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(at) if at.ip().is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        at => at.ip(),
    };
    SocketAddr::new(ip, listener.port())
}

async fn ask(address: SocketAddr) -> Result<(StatusCode, String), Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::get("/readyz").header(header::HOST, "localhost").body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), BODY_BYTES).collect().await?.to_bytes();
    connection.abort();
    Ok((status, String::from_utf8_lossy(&body).trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unspecified_address_is_asked_on_loopback() {
        for (listener, asked) in [
            ("0.0.0.0:8081", "127.0.0.1:8081"),
            ("[::]:8081", "[::1]:8081"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("10.0.0.7:8081", "10.0.0.7:8081"),
        ] {
            assert_eq!(reachable(listener.parse().expect("an address")).to_string(), asked);
        }
    }
}
