//! Sends requests to a provider: over HTTP, or in memory in scenarios.

use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use axum::http::Request;
use reqwest::Client;
use reqwest::redirect::Policy;

/// Sends requests to a provider.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends a request, whose URI is a path. Returns the response's status and body, or the reason why there is no response.
    async fn send(&self, request: Request<Vec<u8>>) -> Result<(u16, Vec<u8>), String>;
}

/// Sends requests over HTTP.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    url: String,
    client: Client,
}

impl HttpTransport {
    /// Creates a transport to the provider at this URL with a time limit for each request.
    pub fn new(url: &str, timeout: Duration) -> anyhow::Result<Self> {
        let client = Client::builder()
            .timeout(timeout)
            .redirect(Policy::none())
            .build()
            .context("failed to create the HTTP client")?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), client })
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<(u16, Vec<u8>), String> {
        let (parts, body) = request.into_parts();
        let url = format!("{}{}", self.url, parts.uri);
        // An error must contain neither the address nor the request.
        let failed = |error: reqwest::Error| error.without_url().to_string();
        let response =
            self.client.request(parts.method, url).headers(parts.headers).body(body).send().await.map_err(failed)?;
        let status = response.status().as_u16();
        Ok((status, response.bytes().await.map_err(failed)?.to_vec()))
    }
}
