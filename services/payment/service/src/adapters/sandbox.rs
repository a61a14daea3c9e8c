//! The sandbox: a provider of our own that takes no money. It runs beside the mart on a developer's machine.

use std::time::Duration;

use anyhow::{Context, ensure};
use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use mart_kernel::{Money, Timestamp};
use payment_core::domain::{CallbackId, Checkout, News, Provider, RefundId, What};
use payment_core::ports::{
    AskCheckout, AskRefund, NotHeard, Opened, PaymentProvider, ProviderError, Refunding, Spoken, Word,
};
use reqwest::{Client, Method};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// How old a signature may be, and how far in the future: clocks differ.
const FRESH: time::Duration = time::Duration::seconds(300);
/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Brings a request to the sandbox and its answer back.
#[async_trait]
pub trait Transport: Send + Sync {
    /// The status and the body of the answer; why there is none.
    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<(u16, Vec<u8>), String>;
}

/// Brings it over HTTP.
pub struct OverHttp {
    url: String,
    key: String,
    client: Client,
}

impl OverHttp {
    /// To the sandbox at this address; `key` lets us in there.
    pub fn new(url: &str, key: &str) -> anyhow::Result<Self> {
        ensure!(!key.is_empty(), "the sandbox is on and has no key");
        let client = Client::builder().timeout(PATIENCE).build().context("no HTTP client")?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), key: key.to_owned(), client })
    }
}

#[async_trait]
impl Transport for OverHttp {
    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<(u16, Vec<u8>), String> {
        let mut request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        Ok((status, answer.bytes().await.map_err(|error| error.to_string())?.to_vec()))
    }
}

/// Talks to the sandbox.
pub struct Sandbox<T> {
    transport: T,
    /// What it signs its words with; the new secret and the old one while they are rotated.
    secrets: Vec<String>,
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
struct Call {
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
    /// Talks to the sandbox by this transport; `secrets` are what it signs with.
    pub fn new(transport: T, secrets: Vec<String>) -> anyhow::Result<Self> {
        ensure!(!secrets.is_empty(), "the sandbox is on and has no secret");
        Ok(Self { transport, secrets })
    }

    async fn ask<A: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<A, ProviderError> {
        let away = |error: String| {
            tracing::warn!(error, "the sandbox does not answer");
            ProviderError::Away
        };
        let (status, body) = self.transport.send(method, path, body).await.map_err(away)?;
        match status {
            200..=299 => serde_json::from_slice(&body).map_err(|error| away(error.to_string())),
            400 | 409 | 422 => Err(ProviderError::Refused(String::from_utf8_lossy(&body).into_owned())),
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
fn what(said: Said) -> Option<What> {
    let Said { kind, reference, amount, currency_code, reason, refund } = said;
    Some(match (kind.as_str(), refund.map(RefundId)) {
        ("captured", None) => {
            let known = Money::parse(&amount, &currency_code).ok();
            What::Captured { reference, told: format!("{amount} {currency_code}"), amount: known }
        }
        ("failed", None) => What::Failed(reason),
        ("ended", None) => What::Ended,
        ("refunded", Some(refund)) => What::Refunded { refund, reference },
        ("refund failed", Some(refund)) => What::RefundFailed { refund, why: reason },
        _ => return None,
    })
}

#[async_trait]
impl<T: Transport> PaymentProvider for Sandbox<T> {
    fn provider(&self) -> Provider {
        Provider::Sandbox
    }

    async fn open(&self, asked: &AskCheckout) -> Result<Opened, ProviderError> {
        let AskCheckout { attempt, order, amount, expires_at } = asked;
        let expire_time = expires_at.get().format(&Rfc3339).map_err(|_| ProviderError::Away)?;
        let body = json!({
            "orderId": order.0, "amount": amount.amount(), "currencyCode": amount.currency().code(), "expireTime": expire_time,
        });
        let OpenedThere { reference, url, expire_time } =
            self.ask(Method::PUT, &format!("/api/checkouts/{}", attempt.0), Some(body)).await?;
        let checkout = Checkout { url, fields: Vec::new(), expires_at: Timestamp::new(expire_time) };
        Ok(Opened { reference, checkout })
    }

    async fn look(&self, reference: &str) -> Result<Vec<What>, ProviderError> {
        let said: Vec<Said> = self.ask(Method::GET, &format!("/api/checkouts/{reference}"), None).await?;
        Ok(said.into_iter().filter_map(what).collect())
    }

    async fn end(&self, reference: &str) -> Result<(), ProviderError> {
        let _said: Value = self.ask(Method::POST, &format!("/api/checkouts/{reference}/end"), None).await?;
        Ok(())
    }

    async fn refund(&self, asked: &AskRefund) -> Result<Refunding, ProviderError> {
        let AskRefund { refund, attempt, captured, amount } = asked;
        // Of this checkout: an admin may give two orders' refunds the same id.
        let path = format!("/api/refunds/{attempt}.{}", refund.0);
        let body = json!({
            "refund": refund.0, "checkout": attempt, "captured": captured, "amount": amount.amount(), "currencyCode": amount.currency().code(),
        });
        let said: Said = self.ask(Method::PUT, &path, Some(body)).await?;
        Ok(match said.kind.as_str() {
            "refunded" => Refunding::Done(said.reference),
            "refund failed" => Refunding::Refused(said.reason),
            _ => Refunding::Later,
        })
    }

    fn hear(&self, sent: &Word<'_>, now: Timestamp) -> Result<Spoken, NotHeard> {
        let signature = (sent.header)("sandbox-signature").ok_or(NotHeard::Signature)?;
        if !is_signed(&signature, sent.body, &self.secrets, now) {
            return Err(NotHeard::Signature);
        }
        let Call { event, checkout, said } = serde_json::from_slice(sent.body).map_err(|_| NotHeard::Message)?;
        let what = what(said).ok_or(NotHeard::Message)?;
        let id = CallbackId { provider: Provider::Sandbox, event };
        Ok(Spoken { id, news: Some(News { provider: Provider::Sandbox, attempt: checkout, what }) })
    }
}

/// Whether `t=<seconds>,v1=<hex>[,v1=…]` has a fresh signature of the body by one of these secrets. Compared in constant time.
fn is_signed(signature: &str, body: &[u8], secrets: &[String], now: Timestamp) -> bool {
    let parts: Vec<(&str, &str)> = signature.split(',').filter_map(|part| part.trim().split_once('=')).collect();
    let at = parts.iter().find(|(name, _)| *name == "t").map(|(_, value)| *value);
    let Some((text, at)) =
        at.and_then(|text| Some((text, OffsetDateTime::from_unix_timestamp(text.parse().ok()?).ok()?)))
    else {
        return false;
    };
    if (now.get() - at).abs() > FRESH {
        return false;
    }
    let given: Vec<Vec<u8>> =
        parts.iter().filter(|(name, _)| *name == "v1").filter_map(|(_, value)| unhex(value)).collect();
    let good = |secret: &String, given: &[u8]| {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
        mac.update(text.as_bytes());
        mac.update(b".");
        mac.update(body);
        mac.verify_slice(given).is_ok()
    };
    secrets.iter().any(|secret| given.iter().any(|given| good(secret, given)))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(secret: &str, at: i64, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
        mac.update(format!("{at}.{body}").as_bytes());
        let hex = mac.finalize().into_bytes().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        format!("t={at},v1={hex}")
    }

    fn hear(signature: Option<&str>, body: &str) -> Result<Spoken, NotHeard> {
        let transport = OverHttp::new("http://127.0.0.1:9", "key").expect("a key");
        let sandbox = Sandbox::new(transport, vec!["new".to_owned(), "old".to_owned()]);
        let header = |name: &str| signature.filter(|_| name == "sandbox-signature").map(str::to_owned);
        let word = Word { header: &header, query: "", body: body.as_bytes() };
        let now = Timestamp::from_unix_micros(1_800_000_000_000_000).expect("in range");
        sandbox.expect("secrets").hear(&word, now)
    }

    const NOW: i64 = 1_800_000_000;
    const BODY: &str =
        r#"{"event":"e1","checkout":"c1","kind":"captured","reference":"t1","amount":"1500.00","currencyCode":"PKR"}"#;

    #[test]
    fn only_a_fresh_signature_over_these_bytes_is_taken() {
        for secret in ["new", "old"] {
            assert!(hear(Some(&signed(secret, NOW, BODY)), BODY).is_ok(), "{secret}");
        }
        let both = format!("{},{}", signed("stranger", NOW, BODY), &signed("old", NOW, BODY)[13..]);
        assert!(hear(Some(&both), BODY).is_ok(), "one of several");
        for (what, signature) in [
            ("none", None),
            ("a stranger's", Some(signed("stranger", NOW, BODY))),
            ("another body's", Some(signed("new", NOW, "{}"))),
            ("too old", Some(signed("new", NOW - 301, BODY))),
            ("of the future", Some(signed("new", NOW + 301, BODY))),
            ("without a time", Some(signed("new", NOW, BODY)[13..].to_owned())),
            ("of another time", Some(signed("new", NOW, BODY).replace("t=1800000000", "t=1800000001"))),
            ("no hexadecimal", Some(format!("t={NOW},v1=zz"))),
            ("empty", Some(format!("t={NOW},v1="))),
        ] {
            assert_eq!(hear(signature.as_deref(), BODY), Err(NotHeard::Signature), "{what}");
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
            assert_eq!(hear(Some(&signed("new", NOW, body)), body), Err(NotHeard::Message), "{body}");
        }
    }

    #[test]
    fn an_amount_that_is_none_is_told_as_it_came() {
        let body = BODY.replace("1500.00", "1500.001");
        let spoken = hear(Some(&signed("new", NOW, &body)), &body).expect("genuine");
        let what = What::Captured { reference: "t1".to_owned(), told: "1500.001 PKR".to_owned(), amount: None };
        assert_eq!(spoken.news.map(|news| news.what), Some(what));
    }
}
