//! The sandbox: our own provider for development, which takes no money.

use async_trait::async_trait;
use axum::http::Request;
use mart_kernel::{Money, Timestamp};
use payment_core::domain::{CallbackId, Checkout, Provider, ProviderEvent, ProviderEventKind, RefundId, Subject};
use payment_core::ports::{
    CheckoutRequest, OpenCheckout, PaymentProvider, ProviderError, RefundOutcome, RefundRequest, WebhookError,
    WebhookEvent, WebhookRequest,
};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::signature::WebhookVerifier;
use crate::transport::Transport;

/// The adapter of the sandbox.
pub struct Sandbox<T> {
    transport: T,
    /// The key of the sandbox's API.
    key: String,
    /// Verifies the sandbox's webhooks.
    webhooks: WebhookVerifier,
}

/// An event of a checkout, in the sandbox's responses and webhooks.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CheckoutEvent {
    kind: String,
    #[serde(default)]
    reference: String,
    #[serde(default)]
    amount: String,
    #[serde(default)]
    currency_code: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    refund: Option<Uuid>,
}

/// The body of a webhook.
#[derive(Deserialize)]
struct WebhookBody {
    event: String,
    checkout: String,
    #[serde(flatten)]
    checkout_event: CheckoutEvent,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OpenedCheckout {
    reference: String,
    url: String,
    #[serde(with = "time::serde::rfc3339")]
    expire_time: OffsetDateTime,
}

impl<T: Transport> Sandbox<T> {
    /// Creates the adapter. `key` is the key of the sandbox's API.
    pub fn new(transport: T, key: &str, webhooks: WebhookVerifier) -> Self {
        Self { transport, key: key.to_owned(), webhooks }
    }

    async fn send<A: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<A, ProviderError> {
        let unavailable = |error: String| {
            tracing::warn!(error, "the sandbox is unavailable");
            ProviderError::Unavailable
        };
        let request = Request::builder().method(method).uri(path).header(AUTHORIZATION, format!("Bearer {}", self.key));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = request.header(CONTENT_TYPE, "application/json").body(body.into_bytes());
        let request = request.map_err(|error| unavailable(error.to_string()))?;
        let (status, body) = self.transport.send(request).await.map_err(unavailable)?;
        match status {
            200..=299 => serde_json::from_slice(&body).map_err(|error| unavailable(error.to_string())),
            400 | 409 | 422 => Err(ProviderError::Rejected(String::from_utf8_lossy(&body).into_owned())),
            // A wrong key, or a restart that lost all checkouts. Neither is a rejection.
            _ => Err(unavailable(format!("status {status}"))),
        }
    }
}

impl<T> std::fmt::Debug for Sandbox<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sandbox")
    }
}

/// Maps an event of a checkout, or returns `None` if it is unknown.
fn event_kind(event: CheckoutEvent) -> Option<ProviderEventKind> {
    let CheckoutEvent { kind, reference, amount, currency_code, reason, refund } = event;
    Some(match (kind.as_str(), refund.map(RefundId)) {
        ("captured", None) => {
            let parsed = Money::parse(&amount, &currency_code).ok();
            ProviderEventKind::Captured {
                reference,
                reported_amount: format!("{amount} {currency_code}"),
                amount: parsed,
            }
        }
        ("failed", None) => ProviderEventKind::Failed(reason),
        ("ended", None) => ProviderEventKind::CheckoutExpired,
        ("refunded", Some(refund)) => ProviderEventKind::Refunded { refund, reference },
        ("refund failed", Some(refund)) => ProviderEventKind::RefundFailed { refund, reason },
        _ => return None,
    })
}

#[async_trait]
impl<T: Transport> PaymentProvider for Sandbox<T> {
    fn provider(&self) -> Provider {
        Provider::Sandbox
    }

    async fn open(&self, request: &CheckoutRequest) -> Result<OpenCheckout, ProviderError> {
        let CheckoutRequest { attempt, order, amount, expires_at, .. } = request;
        let expire_time = expires_at.get().format(&Rfc3339).map_err(|_| ProviderError::Unavailable)?;
        let body = json!({
            "orderId": order.0, "amount": amount.amount(), "currencyCode": amount.currency().code(), "expireTime": expire_time,
        });
        let OpenedCheckout { reference, url, expire_time } =
            self.send(Method::PUT, &format!("/api/checkouts/{}", attempt.0), Some(body)).await?;
        let checkout = Checkout { url, fields: Vec::new() };
        Ok(OpenCheckout { reference, checkout, expires_at: Timestamp::new(expire_time) })
    }

    async fn poll(&self, reference: &str) -> Result<Vec<ProviderEventKind>, ProviderError> {
        let events: Vec<CheckoutEvent> = self.send(Method::GET, &format!("/api/checkouts/{reference}"), None).await?;
        Ok(events.into_iter().filter_map(event_kind).collect())
    }

    async fn end(&self, reference: &str) -> Result<(), ProviderError> {
        let _response: Value = self.send(Method::POST, &format!("/api/checkouts/{reference}/end"), None).await?;
        Ok(())
    }

    async fn refund(&self, request: &RefundRequest) -> Result<RefundOutcome, ProviderError> {
        let RefundRequest { refund, attempt, captured, amount } = request;
        // The path includes the checkout, because the refunds of two orders may have the same id.
        let path = format!("/api/refunds/{attempt}.{}", refund.0);
        let body = json!({
            "refund": refund.0, "checkout": attempt, "captured": captured, "amount": amount.amount(),
            "currencyCode": amount.currency().code(),
        });
        let event: CheckoutEvent = self.send(Method::PUT, &path, Some(body)).await?;
        Ok(match event.kind.as_str() {
            "refunded" => RefundOutcome::Succeeded(event.reference),
            "refund failed" => RefundOutcome::Rejected(event.reason),
            _ => RefundOutcome::Pending,
        })
    }

    fn parse_webhook(&self, request: &WebhookRequest<'_>, now: Timestamp) -> Result<WebhookEvent, WebhookError> {
        let signature = (request.header)("sandbox-signature").ok_or(WebhookError::Signature)?;
        if !self.webhooks.verify(&signature, request.body, now) {
            return Err(WebhookError::Signature);
        }
        let WebhookBody { event, checkout, checkout_event } =
            serde_json::from_slice(request.body).map_err(|_| WebhookError::Message)?;
        let kind = event_kind(checkout_event).ok_or(WebhookError::Message)?;
        let id = CallbackId { provider: Provider::Sandbox, event };
        let subject = Subject::Attempt(checkout);
        Ok(WebhookEvent { id, event: Some(ProviderEvent { provider: Provider::Sandbox, subject, kind }) })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::signature::{TOLERANCE, signed};
    use crate::transport::HttpTransport;

    fn parse(signature: Option<&str>, body: &str) -> Result<WebhookEvent, WebhookError> {
        let transport = HttpTransport::new("http://127.0.0.1:9", Duration::ZERO).expect("a client");
        let sandbox = Sandbox::new(transport, "key", WebhookVerifier::new(vec!["secret".to_owned()], TOLERANCE));
        let header = |name: &str| signature.filter(|_| name == "sandbox-signature").map(str::to_owned);
        let request = WebhookRequest { header: &header, query: "", body: body.as_bytes() };
        let now = Timestamp::from_unix_micros(1_800_000_000_000_000).expect("in range");
        sandbox.parse_webhook(&request, now)
    }

    const NOW: i64 = 1_800_000_000;
    const BODY: &str =
        r#"{"event":"e1","checkout":"c1","kind":"captured","reference":"t1","amount":"1500.00","currencyCode":"PKR"}"#;

    #[test]
    fn a_webhook_without_a_valid_signature_is_rejected() {
        assert!(parse(Some(&signed("secret", NOW, BODY)), BODY).is_ok());
        for signature in [None, Some(signed("another", NOW, BODY))] {
            assert_eq!(parse(signature.as_deref(), BODY), Err(WebhookError::Signature), "{signature:?}");
        }
    }

    #[test]
    fn a_signed_body_that_is_not_an_event_is_an_invalid_message() {
        for body in [
            "",
            "{}",
            r#"{"event":"e1","checkout":"c1","kind":"refunded"}"#,
            r#"{"event":"e1","checkout":"c1","kind":"?"}"#,
        ] {
            assert_eq!(parse(Some(&signed("secret", NOW, body)), body), Err(WebhookError::Message), "{body}");
        }
    }

    #[test]
    fn an_invalid_amount_is_kept_as_text() {
        let body = BODY.replace("1500.00", "1500.001");
        let webhook = parse(Some(&signed("secret", NOW, &body)), &body).expect("valid");
        let expected = ProviderEventKind::Captured {
            reference: "t1".to_owned(),
            reported_amount: "1500.001 PKR".to_owned(),
            amount: None,
        };
        assert_eq!(webhook.event.map(|event| event.kind), Some(expected));
    }
}
