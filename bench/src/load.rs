//! Load on a service: POST requests with Idempotency-Keys on persistent connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use devstack::process::Process;
use devstack::service::ServiceSpec;
use futures::future::try_join_all;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::Scale;

/// POST requests to one path, each with another body and Idempotency-Key.
#[derive(Clone)]
pub(crate) struct Posts {
    host: String,
    path: &'static str,
    token: String,
    next: Arc<AtomicU64>,
    body: Arc<dyn Fn(u64) -> String + Send + Sync>,
}

impl Posts {
    pub(crate) fn new(
        spec: &ServiceSpec,
        role: &str,
        path: &'static str,
        body: impl Fn(u64) -> String + Send + Sync + 'static,
    ) -> Result<Self> {
        let (token, host) = (spec.keys.token(role, "bench")?, format!("127.0.0.1:{}", spec.http));
        Ok(Self { host, path, token, next: Arc::default(), body: Arc::new(body) })
    }

    /// Returns the same requests to another port.
    pub(crate) fn to(&self, port: u16) -> Self {
        Self { host: format!("127.0.0.1:{port}"), ..self.clone() }
    }

    /// Runs the clients for a round, each with one connection and one request at a time. Returns the responses per second.
    pub(crate) async fn run(&self, scale: Scale) -> Result<f64> {
        let started = Instant::now();
        let clients = (0..scale.connections).map(|_| {
            let posts = self.clone();
            tokio::spawn(async move {
                let stream = TcpStream::connect(&posts.host).await?;
                stream.set_nodelay(true)?;
                let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
                tokio::spawn(connection);
                let mut responses = 0_u64;
                while started.elapsed() < scale.round {
                    sender.ready().await?;
                    let response = sender.send_request(posts.request()?).await?;
                    let status = response.status();
                    let body = response.into_body().collect().await?.to_bytes();
                    ensure!(status == 201, "{} failed: {status} {}", posts.path, String::from_utf8_lossy(&body));
                    responses += 1;
                }
                Ok(responses)
            })
        });
        let counts = try_join_all(clients).await?;
        let responses: u64 = counts.into_iter().sum::<Result<u64>>()?;
        Ok(responses as f64 / started.elapsed().as_secs_f64())
    }

    fn request(&self) -> Result<Request<Full<Bytes>>> {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let request = Request::post(self.path)
            .header("host", &self.host)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .header("idempotency-key", format!("bench-{n}"));
        Ok(request.body(Full::new(Bytes::from((self.body)(n))))?)
    }
}

/// Returns a service's resident and peak memory in KiB.
pub(crate) fn memory(service: &Process) -> Result<(u64, u64)> {
    let id = service.id().context("the service has exited")?;
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let kib = |name: &str| -> Result<u64> {
        let line =
            status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("/proc has no {name}"))?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    };
    Ok((kib("VmRSS:")?, kib("VmHWM:")?))
}
