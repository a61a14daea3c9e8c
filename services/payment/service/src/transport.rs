//! How an adapter asks its provider: over HTTP, or without a wire in scenarios.

use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use axum::http::Request;
use reqwest::Client;
use reqwest::redirect::Policy;

/// Brings requests to a provider and its answers back.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends a request, whose URI is a path; the status and the body of the answer, or why there is none.
    async fn send(&self, request: Request<Vec<u8>>) -> Result<(u16, Vec<u8>), String>;
}

/// Brings them over HTTP.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    url: String,
    client: Client,
}

impl HttpTransport {
    /// To the provider at this address, which may take so long for an answer.
    pub fn new(url: &str, patience: Duration) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(patience).redirect(Policy::none()).build().context("no HTTP client")?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), client })
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<(u16, Vec<u8>), String> {
        let (parts, body) = request.into_parts();
        let url = format!("{}{}", self.url, parts.uri);
        // Neither the address nor what was sent stands in an error.
        let away = |error: reqwest::Error| error.without_url().to_string();
        let answer =
            self.client.request(parts.method, url).headers(parts.headers).body(body).send().await.map_err(away)?;
        let status = answer.status().as_u16();
        Ok((status, answer.bytes().await.map_err(away)?.to_vec()))
    }
}
