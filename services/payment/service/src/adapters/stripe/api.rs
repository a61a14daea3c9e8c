//! Sends requests to Stripe's API, and maps its errors.

use axum::http::Request;
use form_urlencoded::Serializer;
use payment_core::ports::ProviderError;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Stripe;
use crate::transport::Transport;

/// The version of Stripe's API that each request asks for, independent of the account's default.
pub const VERSION: &str = "2025-03-31.basil";

/// The body of an error.
#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorDetails,
}

#[derive(Deserialize)]
struct ErrorDetails {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

impl<T: Transport> Stripe<T> {
    /// Sends a GET request.
    pub(super) async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, ProviderError> {
        self.send(Method::GET, path, None, &[]).await
    }

    /// Sends a POST request, which Stripe executes once per idempotency key.
    pub(super) async fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        key: &str,
        fields: &[(&str, &str)],
    ) -> Result<A, ProviderError> {
        self.send(Method::POST, path, Some(key), fields).await
    }

    async fn send<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        fields: &[(&str, &str)],
    ) -> Result<A, ProviderError> {
        let unavailable = |error: String| {
            tracing::warn!(error, path, "Stripe is unavailable");
            ProviderError::Unavailable
        };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(AUTHORIZATION, format!("Bearer {}", self.key))
            .header("stripe-version", VERSION)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let form = Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = request.body(form.into_bytes()).map_err(|error| unavailable(error.to_string()))?;
        let (status, body) = self.transport.send(request).await.map_err(unavailable)?;
        match status {
            200..=299 => serde_json::from_slice(&body).map_err(|error| unavailable(error.to_string())),
            // These reject the request itself. Other statuses are about the key, a conflict of idempotency keys, the rate limit or
            // Stripe's own failures.
            400 | 402 | 404 => {
                let reason = error_text(status, &body);
                tracing::warn!(reason, path, "Stripe rejected a request");
                Err(ProviderError::Rejected(reason))
            }
            _ => Err(unavailable(error_text(status, &body))),
        }
    }
}

fn error_text(status: u16, body: &[u8]) -> String {
    let empty = ErrorBody { error: ErrorDetails { code: None, message: None } };
    let ErrorDetails { code, message } = serde_json::from_slice(body).unwrap_or(empty).error;
    let text = format!("{status} {} {}", code.unwrap_or_default(), message.unwrap_or_default());
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(300).collect()
}
