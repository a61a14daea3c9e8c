//! Stripe: a Checkout Session for each attempt, refunds, and events that it sends to our webhook.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use async_trait::async_trait;
use axum::http::Request;
use form_urlencoded::Serializer;
use mart_kernel::money::Currency;
use mart_kernel::{Money, Timestamp};
use payment_core::domain::{CallbackId, Checkout, Provider, ProviderEvent, ProviderEventKind, RefundId, Subject};
use payment_core::ports::{
    CheckoutRequest, OpenCheckout, PaymentProvider, ProviderError, RefundOutcome, RefundRequest, WebhookError,
    WebhookEvent, WebhookRequest,
};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::signature::WebhookVerifier;
use crate::transport::Transport;

/// The version of Stripe's API that this is written for. What the account is set to does not matter.
pub const VERSION: &str = "2025-03-31.basil";
/// A session lives so much longer than its attempt: Stripe wants half an hour at least from when it hears of it, which is later.
const MARGIN: Duration = Duration::minutes(5);
/// How long an attempt may last for Stripe to take it, whose longest is a day by its own clock.
pub const CHECKOUT_TTL: RangeInclusive<Duration> =
    Duration::minutes(30)..=Duration::DAY.saturating_sub(MARGIN).saturating_sub(MARGIN);
/// How many refunds of a payment are read at once.
const PAGE: &str = "100";

/// Talks to Stripe.
pub struct Stripe<T> {
    transport: T,
    key: String,
    /// What its events have to be signed with.
    webhooks: WebhookVerifier,
    /// Where customers come back to.
    shop: String,
}

/// A Checkout Session.
#[derive(Deserialize)]
struct Session {
    id: String,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    status: Option<String>,
    payment_status: String,
    #[serde(default)]
    payment_intent: Option<String>,
    #[serde(default)]
    amount_total: Option<i64>,
    #[serde(default)]
    currency: Option<String>,
    expires_at: i64,
    #[serde(default)]
    metadata: Option<HashMap<String, String>>,
}

/// A refund.
#[derive(Deserialize)]
struct Refund {
    id: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    failure_reason: Option<String>,
    #[serde(flatten)]
    moved: Moved,
    #[serde(default)]
    metadata: Option<HashMap<String, String>>,
}

/// Money of a payment that goes back, or that somebody wants back.
#[derive(Deserialize)]
struct Moved {
    #[serde(default)]
    payment_intent: Option<String>,
    #[serde(default)]
    amount: i64,
    #[serde(default)]
    currency: String,
}

/// A payment that the customer's bank wants back.
#[derive(Deserialize)]
struct Dispute {
    id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    reason: String,
    #[serde(flatten)]
    moved: Moved,
}

/// A page of a list.
#[derive(Deserialize)]
struct Listed<A> {
    data: Vec<A>,
    has_more: bool,
}

/// An event.
#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Value,
}

/// Why Stripe refuses something.
#[derive(Deserialize)]
struct Refusal {
    error: Why,
}

#[derive(Deserialize)]
struct Why {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

impl<T: Transport> Stripe<T> {
    /// Talks to Stripe by this transport and with this secret key. Its events are signed so, and `shop` is the address that
    /// customers come back to.
    pub fn new(transport: T, key: &str, webhooks: WebhookVerifier, shop: &str) -> Self {
        Self { transport, key: key.to_owned(), webhooks, shop: shop.to_owned() }
    }

    async fn read<A: DeserializeOwned>(&self, path: &str) -> Result<A, ProviderError> {
        self.ask(Method::GET, path, None, &[]).await
    }

    /// Asks for something to be done, once under a key.
    async fn make<A: DeserializeOwned>(
        &self,
        path: &str,
        key: &str,
        fields: &[(&str, &str)],
    ) -> Result<A, ProviderError> {
        self.ask(Method::POST, path, Some(key), fields).await
    }

    async fn ask<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        fields: &[(&str, &str)],
    ) -> Result<A, ProviderError> {
        let away = |error: String| {
            tracing::warn!(error, path, "Stripe does not answer");
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
        let request = request.body(form.into_bytes()).map_err(|error| away(error.to_string()))?;
        let (status, body) = self.transport.send(request).await.map_err(away)?;
        match status {
            200..=299 => serde_json::from_slice(&body).map_err(|error| away(error.to_string())),
            // Subject what was asked. The key, another request under the same one, too many at once, or Stripe itself are no word
            // about money.
            400 | 402 | 404 => {
                let reason = refusal(status, &body);
                tracing::warn!(reason, path, "Stripe refuses");
                Err(ProviderError::Rejected(reason))
            }
            _ => Err(away(refusal(status, &body))),
        }
    }

    /// Our refund, where Stripe knows it. It forgets keys after a day, and what it did it knows.
    async fn known(&self, asked: &RefundRequest) -> Result<Option<Refund>, ProviderError> {
        let mut after: Option<String> = None;
        loop {
            let query = Serializer::new(String::new())
                .append_pair("payment_intent", &asked.captured)
                .append_pair("limit", PAGE)
                .extend_pairs(after.iter().map(|after| ("starting_after", after)))
                .finish();
            let page: Listed<Refund> = self.read(&format!("/v1/refunds?{query}")).await?;
            after = page.data.last().map(|last| last.id.clone());
            let ours = |refund: &Refund| {
                refund.ours().is_some_and(|(checkout, id)| checkout == asked.attempt && id == asked.refund)
            };
            if let Some(found) = page.data.into_iter().find(ours) {
                return Ok(Some(found));
            }
            if !page.has_more || after.is_none() {
                return Ok(None);
            }
        }
    }
}

impl<T> std::fmt::Debug for Stripe<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stripe")
    }
}

fn refusal(status: u16, body: &[u8]) -> String {
    let reason = serde_json::from_slice(body).unwrap_or(Refusal { error: Why { code: None, message: None } }).error;
    let text = format!("{status} {} {}", reason.code.unwrap_or_default(), reason.message.unwrap_or_default());
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(300).collect()
}

/// An amount in Stripe's units: minor units, but for currencies that it counts in another way than ISO 4217 does
/// (docs.stripe.com/currencies). `None` where it can't take the amount.
fn units(money: Money) -> Option<i64> {
    let minor = money.minor();
    let whole = |by: i64| (minor % by == 0).then_some(minor / by);
    match (money.currency().code(), money.currency().digits()) {
        // Counted with two digits that are always 0.
        ("ISK" | "UGX", 0) => minor.checked_mul(100),
        // Counted without digits.
        ("MGA", 2) => whole(100),
        // The last of three digits has to be 0.
        (_, 3) => whole(10).and(Some(minor)),
        _ => Some(minor),
    }
}

/// What Stripe's units are, in a currency's own.
fn money(units: i64, code: &str) -> Option<Money> {
    let currency = Currency::from_code(&code.to_uppercase()).ok()?;
    let minor = match (currency.code(), currency.digits()) {
        ("ISK" | "UGX", 0) => (units % 100 == 0).then_some(units / 100),
        ("MGA", 2) => units.checked_mul(100),
        _ => Some(units),
    };
    minor.map(|minor| Money::from_minor(minor, currency))
}

/// The same in words for people; in Stripe's units where they are of no known currency.
fn reported_amount(units: i64, code: &str) -> String {
    money(units, code)
        .map_or_else(|| format!("{units} {code}"), |sum| format!("{} {}", sum.amount(), sum.currency().code()))
}

impl Session {
    /// Whether it was opened for an attempt. An account may have others, which are nobody's here.
    fn is_ours(&self) -> bool {
        self.metadata.as_ref().is_some_and(|metadata| metadata.contains_key("attempt"))
    }

    /// What there is to say of it. One that is complete and not paid waits for a bank.
    fn what(self) -> Option<ProviderEventKind> {
        match (self.payment_status.as_str(), self.status.as_deref()) {
            ("paid", _) => {
                let (units, code) = (self.amount_total.unwrap_or_default(), self.currency.unwrap_or_default());
                // What a refund names.
                let reference = self.payment_intent.unwrap_or(self.id);
                Some(ProviderEventKind::Captured {
                    reference,
                    reported_amount: reported_amount(units, &code),
                    amount: money(units, &code),
                })
            }
            (_, Some("expired")) => Some(ProviderEventKind::CheckoutExpired),
            _ => None,
        }
    }
}

impl Refund {
    /// The session and the refund of ours that it was made for; `None` where somebody made it by hand.
    fn ours(&self) -> Option<(&str, RefundId)> {
        let metadata = self.metadata.as_ref()?;
        Some((metadata.get("checkout")?, RefundId(metadata.get("refund")?.parse().ok()?)))
    }

    fn refunding(self) -> RefundOutcome {
        match self.status.as_deref() {
            Some("succeeded") => RefundOutcome::Succeeded(self.id),
            Some(over @ ("failed" | "canceled")) => {
                RefundOutcome::Rejected(self.failure_reason.unwrap_or_else(|| over.to_owned()))
            }
            _ => RefundOutcome::Pending,
        }
    }

    /// What it is about, and what there is to say.
    fn event(self) -> Option<(Subject, ProviderEventKind)> {
        let Some((checkout, refund)) = self.ours().map(|(checkout, refund)| (checkout.to_owned(), refund)) else {
            return self.news_of_theirs();
        };
        let kind = match self.refunding() {
            RefundOutcome::Succeeded(reference) => ProviderEventKind::Refunded { refund, reference },
            RefundOutcome::Rejected(reason) => ProviderEventKind::RefundFailed { refund, reason },
            RefundOutcome::Pending | RefundOutcome::Manual => return None,
        };
        Some((Subject::Attempt(checkout), kind))
    }

    /// The same of one that somebody made at Stripe itself: it names the money, and no session.
    fn news_of_theirs(self) -> Option<(Subject, ProviderEventKind)> {
        let subject = Subject::Money(self.moved.payment_intent.clone()?);
        let id = self.id.clone();
        let refund = RefundId(Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("stripe:{id}").as_bytes()));
        let Moved { amount, ref currency, .. } = self.moved;
        let (reported_amount, amount) = (reported_amount(amount, currency), money(amount, currency));
        let kind = match self.refunding() {
            RefundOutcome::Succeeded(reference) => {
                ProviderEventKind::ExternalRefund { refund, reference, reported_amount, amount }
            }
            RefundOutcome::Rejected(reason) => {
                ProviderEventKind::RefundFailed { refund, reason: format!("{id}: {reason}") }
            }
            RefundOutcome::Pending | RefundOutcome::Manual => return None,
        };
        Some((subject, kind))
    }
}

impl Dispute {
    /// What it is about, and what there is to say: it is answered and lost or won at Stripe, and a person has to see to it.
    fn event(self) -> Option<(Subject, ProviderEventKind)> {
        let Self { id, status, reason, moved: Moved { payment_intent, amount, currency } } = self;
        let amount = reported_amount(amount, &currency);
        let reason = format!("the customer's bank disputes {amount} ({reason}), dispute {id} is {status}");
        Some((Subject::Money(payment_intent?), ProviderEventKind::NeedsReview(reason)))
    }
}

#[async_trait]
impl<T: Transport> PaymentProvider for Stripe<T> {
    fn provider(&self) -> Provider {
        Provider::Stripe
    }

    async fn open(&self, asked: &CheckoutRequest) -> Result<OpenCheckout, ProviderError> {
        let CheckoutRequest { attempt, order, amount, expires_at, .. } = asked;
        let units = units(*amount).ok_or_else(|| ProviderError::Rejected(format!("{amount:?} can't be taken")))?;
        let (units, currency) = (units.to_string(), amount.currency().code().to_lowercase());
        let (order, attempt) = (order.0.to_string(), attempt.0.to_string());
        let (title, page) = (format!("Order {order}"), format!("{}/orders/{order}", self.shop));
        let ends = (expires_at.get() + MARGIN).unix_timestamp().to_string();
        let fields = [
            ("mode", "payment"),
            // An order waits for minutes: what banks take days for can't pay it.
            ("payment_method_types[0]", "card"),
            ("client_reference_id", &order),
            ("metadata[attempt]", &attempt),
            ("payment_intent_data[metadata][order]", &order),
            ("line_items[0][quantity]", "1"),
            ("line_items[0][price_data][currency]", &currency),
            ("line_items[0][price_data][unit_amount]", &units),
            ("line_items[0][price_data][product_data][name]", &title),
            ("success_url", &page),
            ("cancel_url", &page),
            ("expires_at", &ends),
        ];
        let first = self.make("/v1/checkout/sessions", &format!("attempt-{attempt}"), &fields).await;
        // Stripe repeats an answer under its key, one of 500 for a day, too. A second session hurts nobody: only who has its address can
        // pay there, and nobody has that of the first.
        let opened: Session = match first {
            Err(ProviderError::Unavailable) => {
                self.make("/v1/checkout/sessions", &format!("attempt-{attempt}-again"), &fields).await?
            }
            other => other?,
        };
        let expires_at =
            OffsetDateTime::from_unix_timestamp(opened.expires_at).map_err(|_| ProviderError::Unavailable)?;
        let url = opened.url.ok_or_else(|| ProviderError::Rejected("the session has no page".to_owned()))?;
        let checkout = Checkout { url, fields: Vec::new() };
        Ok(OpenCheckout { reference: opened.id, checkout, expires_at: Timestamp::new(expires_at) })
    }

    async fn look(&self, reference: &str) -> Result<Vec<ProviderEventKind>, ProviderError> {
        let session: Session = self.read(&format!("/v1/checkout/sessions/{reference}")).await?;
        Ok(session.what().into_iter().collect())
    }

    async fn end(&self, reference: &str) -> Result<(), ProviderError> {
        let path = format!("/v1/checkout/sessions/{reference}/expire");
        let _session: Session = self.make(&path, &format!("end-{reference}"), &[]).await?;
        Ok(())
    }

    async fn refund(&self, asked: &RefundRequest) -> Result<RefundOutcome, ProviderError> {
        if let Some(known) = self.known(asked).await? {
            return Ok(known.refunding());
        }
        let RefundRequest { refund, attempt, captured, amount } = asked;
        let Some(units) = units(*amount) else {
            return Ok(RefundOutcome::Rejected(format!("{amount:?} can't be sent")));
        };
        let (units, id) = (units.to_string(), refund.0.to_string());
        let fields = [
            ("payment_intent", captured.as_str()),
            ("amount", &units),
            ("metadata[checkout]", attempt),
            ("metadata[refund]", &id),
        ];
        // Of this session: an admin may give two orders' refunds the same id.
        let made: Refund = self.make("/v1/refunds", &format!("refund-{attempt}-{id}"), &fields).await?;
        Ok(made.refunding())
    }

    fn parse_webhook(&self, sent: &WebhookRequest<'_>, now: Timestamp) -> Result<WebhookEvent, WebhookError> {
        let signature = (sent.header)("stripe-signature").ok_or(WebhookError::Signature)?;
        if !self.webhooks.verify(&signature, sent.body, now) {
            return Err(WebhookError::Signature);
        }
        let Event { id, kind, data } = serde_json::from_slice(sent.body).map_err(|_| WebhookError::Message)?;
        let session = |object: Value| serde_json::from_value::<Session>(object).map_err(|_| WebhookError::Message);
        let reported = match kind.as_str() {
            "checkout.session.completed" | "checkout.session.async_payment_succeeded" | "checkout.session.expired" => {
                let session = session(data.object)?;
                let attempt = Subject::Attempt(session.id.clone());
                Some(session).filter(Session::is_ours).and_then(Session::what).map(|what| (attempt, what))
            }
            "checkout.session.async_payment_failed" => {
                let ours = Some(session(data.object)?).filter(Session::is_ours);
                ours.map(|session| {
                    (Subject::Attempt(session.id), ProviderEventKind::Failed("the bank did not pay".to_owned()))
                })
            }
            "refund.created" | "refund.updated" | "refund.failed" => {
                serde_json::from_value::<Refund>(data.object).map_err(|_| WebhookError::Message)?.event()
            }
            // The same state of it is one task, whichever of these events reports it.
            "charge.dispute.created" | "charge.dispute.funds_withdrawn" | "charge.dispute.closed" => {
                serde_json::from_value::<Dispute>(data.object).map_err(|_| WebhookError::Message)?.event()
            }
            // A card that is declined among them: the customer is still on the page, and tries another.
            _ => None,
        };
        let provider = Provider::Stripe;
        let event = reported.map(|(subject, kind)| ProviderEvent { provider, subject, kind });
        Ok(WebhookEvent { id: CallbackId { provider, event: id }, event })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use mart_kernel::Timestamp;
    use payment_core::domain::{AttemptId, OrderId, Payer};
    use serde_json::json;

    use super::*;
    use crate::signature::{TOLERANCE, signed};

    const NOW: i64 = 1_800_000_000;
    const REFUND: &str = "0190a1b2-0000-7000-8000-00000000abcd";

    /// Answers in this order, and keeps what was asked.
    #[derive(Default)]
    struct Played {
        answers: Mutex<Vec<(u16, Value)>>,
        asked: Mutex<Vec<Request<Vec<u8>>>>,
    }

    #[async_trait]
    impl Transport for &Played {
        async fn send(&self, request: Request<Vec<u8>>) -> Result<(u16, Vec<u8>), String> {
            self.asked.lock().expect("not poisoned").push(request);
            let (status, body) = self.answers.lock().expect("not poisoned").remove(0);
            if status == 0 { Err("connection refused".to_owned()) } else { Ok((status, body.to_string().into_bytes())) }
        }
    }

    fn played(answers: &[(u16, Value)]) -> Played {
        Played { answers: Mutex::new(answers.to_vec()), ..Played::default() }
    }

    fn stripe(played: &Played) -> Stripe<&Played> {
        let signatures = WebhookVerifier::new(vec!["new".to_owned(), "old".to_owned()], TOLERANCE);
        Stripe::new(played, "sk_test_1", signatures, "https://shop.example")
    }

    fn asked(played: &Played) -> Vec<(String, HashMap<String, String>)> {
        let asked = played.asked.lock().expect("not poisoned");
        let fields = |body: &[u8]| form_urlencoded::parse(body).into_owned().collect();
        asked.iter().map(|asked| (format!("{} {}", asked.method(), asked.uri()), fields(asked.body()))).collect()
    }

    fn keys(played: &Played) -> Vec<String> {
        let asked = played.asked.lock().expect("not poisoned");
        let key = |asked: &Request<Vec<u8>>| asked.headers().get("idempotency-key")?.to_str().ok().map(str::to_owned);
        asked.iter().filter_map(key).collect()
    }

    fn pkr(amount: &str) -> Money {
        Money::parse(amount, "PKR").expect("money")
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000).expect("in range")
    }

    fn session(status: &str, payment: &str) -> Value {
        json!({
            "id": "cs_1", "object": "checkout.session", "url": "https://checkout.stripe.com/c/pay/cs_1", "status": status,
            "payment_status": payment, "payment_intent": "pi_1", "amount_total": 150_000, "currency": "pkr", "expires_at": NOW + 2_100,
            "metadata": { "attempt": "a" },
        })
    }

    fn refunded(id: &str, status: &str) -> Value {
        let metadata = json!({ "checkout": "cs_1", "refund": id });
        json!({ "id": "re_1", "object": "refund", "status": status, "metadata": metadata, "failure_reason": "expired_or_canceled_card" })
    }

    fn checkout() -> CheckoutRequest {
        let id: Uuid = REFUND.parse().expect("an id");
        let (payer, amount) = (Payer::default(), pkr("1500.00"));
        CheckoutRequest {
            attempt: AttemptId(id),
            order: OrderId(id),
            payer,
            amount,
            at: at(NOW),
            expires_at: at(NOW + 1_800),
        }
    }

    fn back() -> RefundRequest {
        let refund = RefundId(REFUND.parse().expect("an id"));
        RefundRequest { refund, attempt: "cs_1".to_owned(), captured: "pi_1".to_owned(), amount: pkr("500.00") }
    }

    fn hear(body: &Value) -> Result<WebhookEvent, WebhookError> {
        let body = body.to_string();
        let signature = signed("old", NOW, &body);
        let header = |name: &str| (name == "stripe-signature").then(|| signature.clone());
        stripe(&played(&[]))
            .parse_webhook(&WebhookRequest { header: &header, query: "", body: body.as_bytes() }, at(NOW))
    }

    fn event(kind: &str, object: &Value) -> Value {
        json!({ "id": "evt_1", "object": "event", "type": kind, "data": { "object": object } })
    }

    #[tokio::test]
    async fn a_checkout_is_a_session_of_the_amount_under_the_attempts_key() {
        let played = played(&[(200, session("open", "unpaid"))]);
        let opened = stripe(&played).open(&checkout()).await.expect("opened");
        assert_eq!((opened.reference.as_str(), opened.expires_at), ("cs_1", at(NOW + 2_100)));
        let (what, form) = asked(&played).remove(0);
        assert_eq!(what, "POST /v1/checkout/sessions");
        for (name, value) in [
            ("mode", "payment".to_owned()),
            ("line_items[0][price_data][currency]", "pkr".to_owned()),
            ("line_items[0][price_data][unit_amount]", "150000".to_owned()),
            ("success_url", format!("https://shop.example/orders/{REFUND}")),
            ("expires_at", (NOW + 2_100).to_string()),
        ] {
            assert_eq!(form[name], value, "{name}");
        }
        assert_eq!(keys(&played), [format!("attempt-{REFUND}")]);
        let asked = played.asked.lock().expect("not poisoned");
        assert_eq!(asked[0].headers()["stripe-version"], VERSION);
        assert_eq!(asked[0].headers()["authorization"], "Bearer sk_test_1");
    }

    #[tokio::test]
    async fn an_answer_that_stripe_would_repeat_for_a_day_is_asked_for_under_another_key() {
        let failed = (500, json!({ "error": { "message": "sorry" } }));
        let played = played(&[failed, (200, session("open", "unpaid"))]);
        assert!(stripe(&played).open(&checkout()).await.is_ok());
        assert_eq!(keys(&played), [format!("attempt-{REFUND}"), format!("attempt-{REFUND}-again")]);
    }

    #[tokio::test]
    async fn only_what_stripe_says_about_the_request_is_a_refusal() {
        let reason = json!({ "error": { "code": "amount_too_small", "message": "at least 50 cents" } });
        for (status, refused) in [
            (400, true),
            (402, true),
            (404, true),
            (401, false),
            (403, false),
            (409, false),
            (429, false),
            (500, false),
            (0, false),
        ] {
            let played = played(&[(status, reason.clone()), (status, reason.clone())]);
            match stripe(&played).open(&checkout()).await {
                Err(ProviderError::Rejected(reason)) => {
                    assert!(refused && reason.contains("amount_too_small"), "{status}: {reason}");
                }
                other => assert_eq!((other, refused), (Err(ProviderError::Unavailable), false), "{status}"),
            }
        }
    }

    #[tokio::test]
    async fn a_session_says_what_became_of_it() {
        let captured = ProviderEventKind::Captured {
            reference: "pi_1".to_owned(),
            reported_amount: "1500.00 PKR".to_owned(),
            amount: Some(pkr("1500.00")),
        };
        for (status, payment, expected) in [
            ("open", "unpaid", vec![]),
            ("complete", "unpaid", vec![]),
            ("complete", "paid", vec![captured]),
            ("expired", "unpaid", vec![ProviderEventKind::CheckoutExpired]),
        ] {
            let played = played(&[(200, session(status, payment))]);
            assert_eq!(stripe(&played).look("cs_1").await, Ok(expected), "{status}, {payment}");
            assert_eq!(asked(&played)[0].0, "GET /v1/checkout/sessions/cs_1");
        }
    }

    #[tokio::test]
    async fn a_refund_is_made_once_however_often_it_is_asked_for() {
        let none = json!({ "data": [], "has_more": false });
        let first = played(&[(200, none), (200, refunded(REFUND, "pending"))]);
        assert_eq!(stripe(&first).refund(&back()).await, Ok(RefundOutcome::Pending));
        let (what, form) = asked(&first).remove(1);
        assert_eq!((what.as_str(), form["amount"].as_str()), ("POST /v1/refunds", "50000"));
        assert_eq!((form["payment_intent"].as_str(), form["metadata[refund]"].as_str()), ("pi_1", REFUND));
        assert_eq!(keys(&first), [format!("refund-cs_1-{REFUND}")]);

        // On the second page of what it knows: nothing is made.
        let another = json!({ "data": [{ "id": "re_0", "status": "succeeded" }], "has_more": true });
        for (status, expected) in [
            ("succeeded", RefundOutcome::Succeeded("re_1".to_owned())),
            ("failed", RefundOutcome::Rejected("expired_or_canceled_card".to_owned())),
            ("requires_action", RefundOutcome::Pending),
        ] {
            let known = json!({ "data": [refunded(REFUND, status)], "has_more": false });
            let again = played(&[(200, another.clone()), (200, known)]);
            assert_eq!(stripe(&again).refund(&back()).await, Ok(expected), "{status}");
            assert!(asked(&again)[1].0.ends_with("&starting_after=re_0") && keys(&again).is_empty());
        }
    }

    #[test]
    fn events_tell_of_sessions_and_of_our_refunds() {
        let refund = RefundId(REFUND.parse().expect("an id"));
        let paid = ProviderEventKind::Captured {
            reference: "pi_1".to_owned(),
            reported_amount: "1500.00 PKR".to_owned(),
            amount: Some(pkr("1500.00")),
        };
        let done = ProviderEventKind::Refunded { refund, reference: "re_1".to_owned() };
        let mut somebody_elses = session("complete", "paid");
        somebody_elses["metadata"] = json!({});
        let not = ProviderEventKind::RefundFailed { refund, reason: "expired_or_canceled_card".to_owned() };
        for (kind, object, expected) in [
            ("checkout.session.completed", session("complete", "paid"), Some(paid.clone())),
            ("checkout.session.completed", session("complete", "unpaid"), None),
            ("checkout.session.completed", somebody_elses, None),
            ("checkout.session.async_payment_succeeded", session("complete", "paid"), Some(paid)),
            (
                "checkout.session.async_payment_failed",
                session("complete", "unpaid"),
                Some(ProviderEventKind::Failed("the bank did not pay".to_owned())),
            ),
            ("checkout.session.expired", session("expired", "unpaid"), Some(ProviderEventKind::CheckoutExpired)),
            ("refund.created", refunded(REFUND, "pending"), None),
            ("refund.updated", refunded(REFUND, "succeeded"), Some(done)),
            ("refund.failed", refunded(REFUND, "failed"), Some(not)),
            ("refund.updated", json!({ "id": "re_9", "status": "succeeded", "metadata": {} }), None),
            ("charge.dispute.created", json!({ "id": "dp_1" }), None),
            ("payment_intent.payment_failed", json!({ "id": "pi_1" }), None),
        ] {
            let spoken = hear(&event(kind, &object)).expect("heard");
            assert_eq!(spoken.id, CallbackId { provider: Provider::Stripe, event: "evt_1".to_owned() });
            assert_eq!(
                spoken.event.map(|event| (event.subject, event.kind)),
                expected.map(|what| (Subject::Attempt("cs_1".to_owned()), what)),
                "{kind}"
            );
        }
        for body in [json!({}), json!([]), event("checkout.session.completed", &json!({}))] {
            assert_eq!(hear(&body), Err(WebhookError::Message), "{body}");
        }
    }

    #[test]
    fn events_tell_of_what_was_done_at_stripe_itself() {
        let by_hand = |status: &str| {
            json!({
                "id": "re_9", "status": status, "payment_intent": "pi_1", "amount": 50_000, "currency": "pkr", "metadata": {},
                "failure_reason": "lost_or_stolen_card",
            })
        };
        let dispute = json!({
            "id": "dp_1", "status": "needs_response", "reason": "fraudulent", "payment_intent": "pi_1", "amount": 150_000,
            "currency": "pkr",
        });
        let refund = RefundId(Uuid::new_v5(&Uuid::NAMESPACE_URL, b"stripe:re_9"));
        let made = ProviderEventKind::ExternalRefund {
            refund,
            reference: "re_9".to_owned(),
            reported_amount: "500.00 PKR".to_owned(),
            amount: Some(pkr("500.00")),
        };
        let failed = ProviderEventKind::RefundFailed { refund, reason: "re_9: lost_or_stolen_card".to_owned() };
        let disputed = ProviderEventKind::NeedsReview(
            "the customer's bank disputes 1500.00 PKR (fraudulent), dispute dp_1 is needs_response".to_owned(),
        );
        for (kind, object, expected) in [
            ("refund.created", by_hand("pending"), None),
            ("refund.created", by_hand("succeeded"), Some(made)),
            ("refund.failed", by_hand("failed"), Some(failed)),
            ("charge.dispute.created", dispute, Some(disputed)),
        ] {
            let reported_amount =
                hear(&event(kind, &object)).expect("heard").event.map(|event| (event.subject, event.kind));
            assert_eq!(reported_amount, expected.map(|what| (Subject::Money("pi_1".to_owned()), what)), "{kind}");
        }
    }

    #[test]
    fn what_is_not_signed_is_not_heard() {
        let body = event("checkout.session.completed", &session("complete", "paid")).to_string();
        for signature in [None, Some(signed("stranger", NOW, &body)), Some(signed("new", NOW - 301, &body))] {
            let header = |_: &str| signature.clone();
            let word = WebhookRequest { header: &header, query: "", body: body.as_bytes() };
            assert_eq!(
                stripe(&played(&[])).parse_webhook(&word, at(NOW)),
                Err(WebhookError::Signature),
                "{signature:?}"
            );
        }
    }

    #[test]
    fn amounts_are_counted_as_stripe_counts_them() {
        for (amount, code, expected) in [
            ("1500.00", "PKR", Some(150_000)),
            ("10.99", "USD", Some(1_099)),
            ("1500", "JPY", Some(1_500)),
            ("5", "ISK", Some(500)),
            ("5", "UGX", Some(500)),
            ("1500.00", "MGA", Some(1_500)),
            ("1500.50", "MGA", None),
            ("5.120", "KWD", Some(5_120)),
            ("5.124", "KWD", None),
        ] {
            let sum = Money::parse(amount, code).expect("money");
            assert_eq!(units(sum), expected, "{amount} {code}");
            if let Some(expected) = expected {
                assert_eq!(money(expected, &code.to_lowercase()), Some(sum), "{amount} {code}");
            }
        }
        assert_eq!((money(150, "xyz"), money(150, "isk")), (None, None));
        assert_eq!(
            (reported_amount(150, "xyz"), reported_amount(150, "usd")),
            ("150 xyz".to_owned(), "1.50 USD".to_owned())
        );
    }
}
