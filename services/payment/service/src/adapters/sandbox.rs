//! The sandbox: a provider of our own that takes no money. It runs beside the mart on a developer's machine.

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

/// Talks to the sandbox.
pub struct Sandbox<T> {
    transport: T,
    /// Lets us in.
    key: String,
    /// What its words have to be signed with.
    webhooks: WebhookVerifier,
}

/// What the sandbox says of a checkout, as an answer and as a word of its own.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
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

/// A word of the sandbox's.
#[derive(Deserialize)]
struct WebhookBody {
    event: String,
    checkout: String,
    #[serde(flatten)]
    said: Said,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OpenedThere {
    reference: String,
    url: String,
    #[serde(with = "time::serde::rfc3339")]
    expire_time: OffsetDateTime,
}

impl<T: Transport> Sandbox<T> {
    /// Talks to the sandbox by this transport; `key` lets us in there, and its words are signed so.
    pub fn new(transport: T, key: &str, webhooks: WebhookVerifier) -> Self {
        Self { transport, key: key.to_owned(), webhooks }
    }

    async fn ask<A: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<A, ProviderError> {
        let away = |error: String| {
            tracing::warn!(error, "the sandbox does not answer");
            ProviderError::Unavailable
        };
        let request = Request::builder().method(method).uri(path).header(AUTHORIZATION, format!("Bearer {}", self.key));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = request.header(CONTENT_TYPE, "application/json").body(body.into_bytes());
        let request = request.map_err(|error| away(error.to_string()))?;
        let (status, body) = self.transport.send(request).await.map_err(away)?;
        match status {
            200..=299 => serde_json::from_slice(&body).map_err(|error| away(error.to_string())),
            400 | 409 | 422 => Err(ProviderError::Rejected(String::from_utf8_lossy(&body).into_owned())),
            // A wrong key, a restart that has forgotten everything: none of it is a word about money.
            _ => Err(away(format!("it answers {status}"))),
        }
    }
}

impl<T> std::fmt::Debug for Sandbox<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sandbox")
    }
}

/// What something that was said means; `None` where it is none of the sandbox's words.
fn event_kind(status: Said) -> Option<ProviderEventKind> {
    let Said { kind, reference, amount, currency_code, reason, refund } = status;
    Some(match (kind.as_str(), refund.map(RefundId)) {
        ("captured", None) => {
            let known = Money::parse(&amount, &currency_code).ok();
            ProviderEventKind::Captured {
                reference,
                reported_amount: format!("{amount} {currency_code}"),
                amount: known,
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

    async fn open(&self, asked: &CheckoutRequest) -> Result<OpenCheckout, ProviderError> {
        let CheckoutRequest { attempt, order, amount, expires_at, .. } = asked;
        let expire_time = expires_at.get().format(&Rfc3339).map_err(|_| ProviderError::Unavailable)?;
        let body = json!({
            "orderId": order.0, "amount": amount.amount(), "currencyCode": amount.currency().code(), "expireTime": expire_time,
        });
        let OpenedThere { reference, url, expire_time } =
            self.ask(Method::PUT, &format!("/api/checkouts/{}", attempt.0), Some(body)).await?;
        let checkout = Checkout { url, fields: Vec::new() };
        Ok(OpenCheckout { reference, checkout, expires_at: Timestamp::new(expire_time) })
    }

    async fn look(&self, reference: &str) -> Result<Vec<ProviderEventKind>, ProviderError> {
        let said: Vec<Said> = self.ask(Method::GET, &format!("/api/checkouts/{reference}"), None).await?;
        Ok(said.into_iter().filter_map(event_kind).collect())
    }

    async fn end(&self, reference: &str) -> Result<(), ProviderError> {
        let _said: Value = self.ask(Method::POST, &format!("/api/checkouts/{reference}/end"), None).await?;
        Ok(())
    }

    async fn refund(&self, asked: &RefundRequest) -> Result<RefundOutcome, ProviderError> {
        let RefundRequest { refund, attempt, captured, amount } = asked;
        // Of this checkout: an admin may give two orders' refunds the same id.
        let path = format!("/api/refunds/{attempt}.{}", refund.0);
        let body = json!({
            "refund": refund.0, "checkout": attempt, "captured": captured, "amount": amount.amount(), "currencyCode": amount.currency().code(),
        });
        let said: Said = self.ask(Method::PUT, &path, Some(body)).await?;
        Ok(match said.kind.as_str() {
            "refunded" => RefundOutcome::Succeeded(said.reference),
            "refund failed" => RefundOutcome::Rejected(said.reason),
            _ => RefundOutcome::Pending,
        })
    }

    fn parse_webhook(&self, sent: &WebhookRequest<'_>, now: Timestamp) -> Result<WebhookEvent, WebhookError> {
        let signature = (sent.header)("sandbox-signature").ok_or(WebhookError::Signature)?;
        if !self.webhooks.verify(&signature, sent.body, now) {
            return Err(WebhookError::Signature);
        }
        let WebhookBody { event, checkout, said } =
            serde_json::from_slice(sent.body).map_err(|_| WebhookError::Message)?;
        let kind = event_kind(said).ok_or(WebhookError::Message)?;
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

    fn hear(signature: Option<&str>, body: &str) -> Result<WebhookEvent, WebhookError> {
        let transport = HttpTransport::new("http://127.0.0.1:9", Duration::ZERO).expect("a client");
        let sandbox = Sandbox::new(transport, "key", WebhookVerifier::new(vec!["secret".to_owned()], TOLERANCE));
        let header = |name: &str| signature.filter(|_| name == "sandbox-signature").map(str::to_owned);
        let word = WebhookRequest { header: &header, query: "", body: body.as_bytes() };
        let now = Timestamp::from_unix_micros(1_800_000_000_000_000).expect("in range");
        sandbox.parse_webhook(&word, now)
    }

    const NOW: i64 = 1_800_000_000;
    const BODY: &str =
        r#"{"event":"e1","checkout":"c1","kind":"captured","reference":"t1","amount":"1500.00","currencyCode":"PKR"}"#;

    #[test]
    fn what_is_not_signed_is_not_taken() {
        assert!(hear(Some(&signed("secret", NOW, BODY)), BODY).is_ok());
        for signature in [None, Some(signed("stranger", NOW, BODY))] {
            assert_eq!(hear(signature.as_deref(), BODY), Err(WebhookError::Signature), "{signature:?}");
        }
    }

    #[test]
    fn what_is_genuine_and_no_word_of_the_sandbox_is_told_so() {
        for body in [
            "",
            "{}",
            r#"{"event":"e1","checkout":"c1","kind":"refunded"}"#,
            r#"{"event":"e1","checkout":"c1","kind":"?"}"#,
        ] {
            assert_eq!(hear(Some(&signed("secret", NOW, body)), body), Err(WebhookError::Message), "{body}");
        }
    }

    #[test]
    fn an_amount_that_is_none_is_told_as_it_came() {
        let body = BODY.replace("1500.00", "1500.001");
        let spoken = hear(Some(&signed("secret", NOW, &body)), &body).expect("genuine");
        let what = ProviderEventKind::Captured {
            reference: "t1".to_owned(),
            reported_amount: "1500.001 PKR".to_owned(),
            amount: None,
        };
        assert_eq!(spoken.event.map(|event| event.kind), Some(what));
    }
}
