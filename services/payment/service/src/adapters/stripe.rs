//! Stripe: a Checkout Session per attempt, refunds, and the events of our webhook.

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

/// The version of Stripe's API that each request asks for, independent of the account's default.
pub const VERSION: &str = "2025-03-31.basil";
/// The time by which a session outlives its attempt. Stripe requires at least 30 minutes from the request, which is later than the
/// start of the attempt.
const MARGIN: Duration = Duration::minutes(5);
/// The accepted lifetimes of an attempt. Stripe's limits for a session are 30 minutes and one day. The upper limit is reduced by
/// two margins: the session outlives its attempt by one, and the clocks may differ by the other.
pub const CHECKOUT_TTL: RangeInclusive<Duration> =
    Duration::minutes(30)..=Duration::DAY.saturating_sub(MARGIN).saturating_sub(MARGIN);
/// The page size of a list of refunds, Stripe's largest.
const PAGE: &str = "100";

/// The adapter of Stripe.
pub struct Stripe<T> {
    transport: T,
    key: String,
    /// Verifies Stripe's webhooks.
    webhooks: WebhookVerifier,
    /// The URL of the shop, to which customers return.
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
    part: PaymentPart,
    #[serde(default)]
    metadata: Option<HashMap<String, String>>,
}

/// The part of a payment that is refunded or disputed.
#[derive(Deserialize)]
struct PaymentPart {
    #[serde(default)]
    payment_intent: Option<String>,
    #[serde(default)]
    amount: i64,
    #[serde(default)]
    currency: String,
}

/// A dispute: the customer's bank reclaims a payment.
#[derive(Deserialize)]
struct Dispute {
    id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    reason: String,
    #[serde(flatten)]
    part: PaymentPart,
}

/// A page of a list.
#[derive(Deserialize)]
struct List<A> {
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
    /// Creates the adapter. `key` is the account's secret key, and `shop` is the URL to which customers return.
    pub fn new(transport: T, key: &str, webhooks: WebhookVerifier, shop: &str) -> Self {
        Self { transport, key: key.to_owned(), webhooks, shop: shop.to_owned() }
    }

    async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, ProviderError> {
        self.send(Method::GET, path, None, &[]).await
    }

    /// Sends a POST request, which Stripe executes once per idempotency key.
    async fn post<A: DeserializeOwned>(
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

    /// Finds our refund at Stripe, if it was created before. An idempotency key cannot show this, because Stripe deletes keys after
    /// a day.
    async fn find_refund(&self, request: &RefundRequest) -> Result<Option<Refund>, ProviderError> {
        let mut after: Option<String> = None;
        loop {
            let query = Serializer::new(String::new())
                .append_pair("payment_intent", &request.captured)
                .append_pair("limit", PAGE)
                .extend_pairs(after.iter().map(|after| ("starting_after", after)))
                .finish();
            let page: List<Refund> = self.get(&format!("/v1/refunds?{query}")).await?;
            after = page.data.last().map(|last| last.id.clone());
            let requested = |refund: &Refund| {
                refund.our_ids().is_some_and(|(checkout, id)| checkout == request.attempt && id == request.refund)
            };
            if let Some(found) = page.data.into_iter().find(requested) {
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

fn error_text(status: u16, body: &[u8]) -> String {
    let empty = ErrorBody { error: ErrorDetails { code: None, message: None } };
    let ErrorDetails { code, message } = serde_json::from_slice(body).unwrap_or(empty).error;
    let text = format!("{status} {} {}", code.unwrap_or_default(), message.unwrap_or_default());
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(300).collect()
}

/// Converts an amount to Stripe's units, or returns `None` if Stripe does not accept the amount.
///
/// They are minor units, except for the currencies that Stripe counts differently from ISO 4217 (docs.stripe.com/currencies).
fn units(money: Money) -> Option<i64> {
    let minor = money.minor();
    let whole = |by: i64| (minor % by == 0).then_some(minor / by);
    match (money.currency().code(), money.currency().digits()) {
        // Stripe counts two decimal places, which are always 0.
        ("ISK" | "UGX", 0) => minor.checked_mul(100),
        // Stripe counts no decimal places.
        ("MGA", 2) => whole(100),
        // The last of three decimal places has to be 0.
        (_, 3) => whole(10).and(Some(minor)),
        _ => Some(minor),
    }
}

/// Converts Stripe's units to an amount, or returns `None` if the currency is unknown.
fn money(units: i64, code: &str) -> Option<Money> {
    let currency = Currency::from_code(&code.to_uppercase()).ok()?;
    let minor = match (currency.code(), currency.digits()) {
        ("ISK" | "UGX", 0) => (units % 100 == 0).then_some(units / 100),
        ("MGA", 2) => units.checked_mul(100),
        _ => Some(units),
    };
    minor.map(|minor| Money::from_minor(minor, currency))
}

/// Formats Stripe's units for people. If the currency is unknown, the units are not converted.
fn reported_amount(units: i64, code: &str) -> String {
    money(units, code)
        .map_or_else(|| format!("{units} {code}"), |money| format!("{} {}", money.amount(), money.currency().code()))
}

impl Session {
    /// Returns whether the session belongs to an attempt. The account may have sessions of other systems.
    fn is_ours(&self) -> bool {
        self.metadata.as_ref().is_some_and(|metadata| metadata.contains_key("attempt"))
    }

    /// Returns the event of the session's state. A complete session that is not paid awaits the bank and has none.
    fn event_kind(self) -> Option<ProviderEventKind> {
        match (self.payment_status.as_str(), self.status.as_deref()) {
            ("paid", _) => {
                let (units, code) = (self.amount_total.unwrap_or_default(), self.currency.unwrap_or_default());
                // Refunds and disputes refer to the payment intent.
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
    /// Returns our checkout and refund from the metadata, or `None` if the refund was made in Stripe's dashboard.
    fn our_ids(&self) -> Option<(&str, RefundId)> {
        let metadata = self.metadata.as_ref()?;
        Some((metadata.get("checkout")?, RefundId(metadata.get("refund")?.parse().ok()?)))
    }

    fn outcome(self) -> RefundOutcome {
        match self.status.as_deref() {
            Some("succeeded") => RefundOutcome::Succeeded(self.id),
            Some(status @ ("failed" | "canceled")) => {
                RefundOutcome::Rejected(self.failure_reason.unwrap_or_else(|| status.to_owned()))
            }
            _ => RefundOutcome::Pending,
        }
    }

    /// Returns the subject and the kind of the event, or `None` while the refund is pending.
    fn event(self) -> Option<(Subject, ProviderEventKind)> {
        let Some((checkout, refund)) = self.our_ids().map(|(checkout, refund)| (checkout.to_owned(), refund)) else {
            return self.external_event();
        };
        let kind = match self.outcome() {
            RefundOutcome::Succeeded(reference) => ProviderEventKind::Refunded { refund, reference },
            RefundOutcome::Rejected(reason) => ProviderEventKind::RefundFailed { refund, reason },
            RefundOutcome::Pending | RefundOutcome::Manual => return None,
        };
        Some((Subject::Attempt(checkout), kind))
    }

    /// Returns the event of a refund that was made in Stripe's dashboard. Its subject is the money, because it has no session.
    fn external_event(self) -> Option<(Subject, ProviderEventKind)> {
        let subject = Subject::Money(self.part.payment_intent.clone()?);
        let id = self.id.clone();
        let refund = RefundId(Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("stripe:{id}").as_bytes()));
        let PaymentPart { amount, ref currency, .. } = self.part;
        let (reported_amount, amount) = (reported_amount(amount, currency), money(amount, currency));
        let kind = match self.outcome() {
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
    /// Returns the subject and the kind of the event. An operator has to answer the dispute at Stripe.
    fn event(self) -> Option<(Subject, ProviderEventKind)> {
        let Self { id, status, reason, part: PaymentPart { payment_intent, amount, currency } } = self;
        let amount = reported_amount(amount, &currency);
        let reason = format!("the customer's bank disputes {amount} ({reason}); dispute {id} has the status {status}");
        Some((Subject::Money(payment_intent?), ProviderEventKind::NeedsReview(reason)))
    }
}

#[async_trait]
impl<T: Transport> PaymentProvider for Stripe<T> {
    fn provider(&self) -> Provider {
        Provider::Stripe
    }

    async fn open(&self, request: &CheckoutRequest) -> Result<OpenCheckout, ProviderError> {
        let CheckoutRequest { attempt, order, amount, expires_at, .. } = request;
        let units =
            units(*amount).ok_or_else(|| ProviderError::Rejected(format!("Stripe does not accept {amount:?}")))?;
        let (units, currency) = (units.to_string(), amount.currency().code().to_lowercase());
        let (order, attempt) = (order.0.to_string(), attempt.0.to_string());
        let (title, page) = (format!("Order {order}"), format!("{}/orders/{order}", self.shop));
        let ends = (expires_at.get() + MARGIN).unix_timestamp().to_string();
        let fields = [
            ("mode", "payment"),
            // Cards only: an order awaits its payment for minutes, and other methods may take days.
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
        let first = self.post("/v1/checkout/sessions", &format!("attempt-{attempt}"), &fields).await;
        // Stripe repeats the response of an idempotency key for a day, even a 500, so the retry uses another key. A second session
        // does no harm: a session is paid only through its URL, and no customer has the URL of the first one.
        let opened: Session = match first {
            Err(ProviderError::Unavailable) => {
                self.post("/v1/checkout/sessions", &format!("attempt-{attempt}-again"), &fields).await?
            }
            other => other?,
        };
        let expires_at =
            OffsetDateTime::from_unix_timestamp(opened.expires_at).map_err(|_| ProviderError::Unavailable)?;
        let url = opened.url.ok_or_else(|| ProviderError::Rejected("the session has no URL".to_owned()))?;
        let checkout = Checkout { url, fields: Vec::new() };
        Ok(OpenCheckout { reference: opened.id, checkout, expires_at: Timestamp::new(expires_at) })
    }

    async fn poll(&self, reference: &str) -> Result<Vec<ProviderEventKind>, ProviderError> {
        let session: Session = self.get(&format!("/v1/checkout/sessions/{reference}")).await?;
        Ok(session.event_kind().into_iter().collect())
    }

    async fn end(&self, reference: &str) -> Result<(), ProviderError> {
        let path = format!("/v1/checkout/sessions/{reference}/expire");
        let _session: Session = self.post(&path, &format!("end-{reference}"), &[]).await?;
        Ok(())
    }

    async fn refund(&self, request: &RefundRequest) -> Result<RefundOutcome, ProviderError> {
        if let Some(found) = self.find_refund(request).await? {
            return Ok(found.outcome());
        }
        let RefundRequest { refund, attempt, captured, amount } = request;
        let Some(units) = units(*amount) else {
            return Ok(RefundOutcome::Rejected(format!("Stripe cannot refund {amount:?}")));
        };
        let (units, id) = (units.to_string(), refund.0.to_string());
        let fields = [
            ("payment_intent", captured.as_str()),
            ("amount", &units),
            ("metadata[checkout]", attempt),
            ("metadata[refund]", &id),
        ];
        // The key includes the session, because the refunds of two orders may have the same id.
        let created: Refund = self.post("/v1/refunds", &format!("refund-{attempt}-{id}"), &fields).await?;
        Ok(created.outcome())
    }

    fn parse_webhook(&self, request: &WebhookRequest<'_>, now: Timestamp) -> Result<WebhookEvent, WebhookError> {
        let signature = (request.header)("stripe-signature").ok_or(WebhookError::Signature)?;
        if !self.webhooks.verify(&signature, request.body, now) {
            return Err(WebhookError::Signature);
        }
        let Event { id, kind, data } = serde_json::from_slice(request.body).map_err(|_| WebhookError::Message)?;
        let session = |object: Value| serde_json::from_value::<Session>(object).map_err(|_| WebhookError::Message);
        let reported = match kind.as_str() {
            "checkout.session.completed" | "checkout.session.async_payment_succeeded" | "checkout.session.expired" => {
                let session = session(data.object)?;
                let attempt = Subject::Attempt(session.id.clone());
                Some(session).filter(Session::is_ours).and_then(Session::event_kind).map(|kind| (attempt, kind))
            }
            "checkout.session.async_payment_failed" => {
                let ours = Some(session(data.object)?).filter(Session::is_ours);
                ours.map(|session| {
                    (
                        Subject::Attempt(session.id),
                        ProviderEventKind::Failed("the bank rejected the payment".to_owned()),
                    )
                })
            }
            "refund.created" | "refund.updated" | "refund.failed" => {
                serde_json::from_value::<Refund>(data.object).map_err(|_| WebhookError::Message)?.event()
            }
            // Each status of a dispute is one task, even if several of these events report it.
            "charge.dispute.created" | "charge.dispute.funds_withdrawn" | "charge.dispute.closed" => {
                serde_json::from_value::<Dispute>(data.object).map_err(|_| WebhookError::Message)?.event()
            }
            // This includes a declined card: the customer is still on the page and can try another one.
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

    /// Responds in this order and records the requests. The status 0 is a failed connection.
    #[derive(Default)]
    struct FakeTransport {
        responses: Mutex<Vec<(u16, Value)>>,
        requests: Mutex<Vec<Request<Vec<u8>>>>,
    }

    #[async_trait]
    impl Transport for &FakeTransport {
        async fn send(&self, request: Request<Vec<u8>>) -> Result<(u16, Vec<u8>), String> {
            self.requests.lock().expect("not poisoned").push(request);
            let (status, body) = self.responses.lock().expect("not poisoned").remove(0);
            if status == 0 { Err("connection refused".to_owned()) } else { Ok((status, body.to_string().into_bytes())) }
        }
    }

    fn transport(responses: &[(u16, Value)]) -> FakeTransport {
        FakeTransport { responses: Mutex::new(responses.to_vec()), ..FakeTransport::default() }
    }

    fn stripe(transport: &FakeTransport) -> Stripe<&FakeTransport> {
        let verifier = WebhookVerifier::new(vec!["new".to_owned(), "old".to_owned()], TOLERANCE);
        Stripe::new(transport, "sk_test_1", verifier, "https://shop.example")
    }

    fn requests(transport: &FakeTransport) -> Vec<(String, HashMap<String, String>)> {
        let requests = transport.requests.lock().expect("not poisoned");
        let fields = |body: &[u8]| form_urlencoded::parse(body).into_owned().collect();
        requests
            .iter()
            .map(|request| (format!("{} {}", request.method(), request.uri()), fields(request.body())))
            .collect()
    }

    fn keys(transport: &FakeTransport) -> Vec<String> {
        let requests = transport.requests.lock().expect("not poisoned");
        let key =
            |request: &Request<Vec<u8>>| request.headers().get("idempotency-key")?.to_str().ok().map(str::to_owned);
        requests.iter().filter_map(key).collect()
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
            "payment_status": payment, "payment_intent": "pi_1", "amount_total": 150_000, "currency": "pkr",
            "expires_at": NOW + 2_100, "metadata": { "attempt": "a" },
        })
    }

    fn refunded(id: &str, status: &str) -> Value {
        let metadata = json!({ "checkout": "cs_1", "refund": id });
        json!({
            "id": "re_1", "object": "refund", "status": status, "metadata": metadata,
            "failure_reason": "expired_or_canceled_card",
        })
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

    fn refund_request() -> RefundRequest {
        let refund = RefundId(REFUND.parse().expect("an id"));
        RefundRequest { refund, attempt: "cs_1".to_owned(), captured: "pi_1".to_owned(), amount: pkr("500.00") }
    }

    fn parse(body: &Value) -> Result<WebhookEvent, WebhookError> {
        let body = body.to_string();
        let signature = signed("old", NOW, &body);
        let header = |name: &str| (name == "stripe-signature").then(|| signature.clone());
        stripe(&transport(&[]))
            .parse_webhook(&WebhookRequest { header: &header, query: "", body: body.as_bytes() }, at(NOW))
    }

    fn event(kind: &str, object: &Value) -> Value {
        json!({ "id": "evt_1", "object": "event", "type": kind, "data": { "object": object } })
    }

    #[tokio::test]
    async fn a_checkout_is_a_session_with_the_attempts_key() {
        let transport = transport(&[(200, session("open", "unpaid"))]);
        let opened = stripe(&transport).open(&checkout()).await.expect("opened");
        assert_eq!((opened.reference.as_str(), opened.expires_at), ("cs_1", at(NOW + 2_100)));
        let (request, form) = requests(&transport).remove(0);
        assert_eq!(request, "POST /v1/checkout/sessions");
        for (name, value) in [
            ("mode", "payment".to_owned()),
            ("line_items[0][price_data][currency]", "pkr".to_owned()),
            ("line_items[0][price_data][unit_amount]", "150000".to_owned()),
            ("success_url", format!("https://shop.example/orders/{REFUND}")),
            ("expires_at", (NOW + 2_100).to_string()),
        ] {
            assert_eq!(form[name], value, "{name}");
        }
        assert_eq!(keys(&transport), [format!("attempt-{REFUND}")]);
        let requests = transport.requests.lock().expect("not poisoned");
        assert_eq!(requests[0].headers()["stripe-version"], VERSION);
        assert_eq!(requests[0].headers()["authorization"], "Bearer sk_test_1");
    }

    #[tokio::test]
    async fn a_failed_session_is_retried_with_another_key() {
        let failed = (500, json!({ "error": { "message": "sorry" } }));
        let transport = transport(&[failed, (200, session("open", "unpaid"))]);
        assert!(stripe(&transport).open(&checkout()).await.is_ok());
        assert_eq!(keys(&transport), [format!("attempt-{REFUND}"), format!("attempt-{REFUND}-again")]);
    }

    #[tokio::test]
    async fn only_errors_about_the_request_are_rejections() {
        let reason = json!({ "error": { "code": "amount_too_small", "message": "at least 50 cents" } });
        for (status, rejected) in [
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
            let transport = transport(&[(status, reason.clone()), (status, reason.clone())]);
            match stripe(&transport).open(&checkout()).await {
                Err(ProviderError::Rejected(reason)) => {
                    assert!(rejected && reason.contains("amount_too_small"), "{status}: {reason}");
                }
                other => assert_eq!((other, rejected), (Err(ProviderError::Unavailable), false), "{status}"),
            }
        }
    }

    #[tokio::test]
    async fn a_session_maps_to_an_event() {
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
            let transport = transport(&[(200, session(status, payment))]);
            assert_eq!(stripe(&transport).poll("cs_1").await, Ok(expected), "{status}, {payment}");
            assert_eq!(requests(&transport)[0].0, "GET /v1/checkout/sessions/cs_1");
        }
    }

    #[tokio::test]
    async fn a_refund_is_created_once_despite_repeated_requests() {
        let none = json!({ "data": [], "has_more": false });
        let first = transport(&[(200, none), (200, refunded(REFUND, "pending"))]);
        assert_eq!(stripe(&first).refund(&refund_request()).await, Ok(RefundOutcome::Pending));
        let (request, form) = requests(&first).remove(1);
        assert_eq!((request.as_str(), form["amount"].as_str()), ("POST /v1/refunds", "50000"));
        assert_eq!((form["payment_intent"].as_str(), form["metadata[refund]"].as_str()), ("pi_1", REFUND));
        assert_eq!(keys(&first), [format!("refund-cs_1-{REFUND}")]);

        // The second page of the list has the refund, so none is created.
        let another = json!({ "data": [{ "id": "re_0", "status": "succeeded" }], "has_more": true });
        for (status, expected) in [
            ("succeeded", RefundOutcome::Succeeded("re_1".to_owned())),
            ("failed", RefundOutcome::Rejected("expired_or_canceled_card".to_owned())),
            ("requires_action", RefundOutcome::Pending),
        ] {
            let known = json!({ "data": [refunded(REFUND, status)], "has_more": false });
            let again = transport(&[(200, another.clone()), (200, known)]);
            assert_eq!(stripe(&again).refund(&refund_request()).await, Ok(expected), "{status}");
            assert!(requests(&again)[1].0.ends_with("&starting_after=re_0") && keys(&again).is_empty());
        }
    }

    #[test]
    fn events_of_sessions_and_our_refunds_are_mapped() {
        let refund = RefundId(REFUND.parse().expect("an id"));
        let paid = ProviderEventKind::Captured {
            reference: "pi_1".to_owned(),
            reported_amount: "1500.00 PKR".to_owned(),
            amount: Some(pkr("1500.00")),
        };
        let succeeded = ProviderEventKind::Refunded { refund, reference: "re_1".to_owned() };
        let mut foreign = session("complete", "paid");
        foreign["metadata"] = json!({});
        let failed = ProviderEventKind::RefundFailed { refund, reason: "expired_or_canceled_card".to_owned() };
        for (kind, object, expected) in [
            ("checkout.session.completed", session("complete", "paid"), Some(paid.clone())),
            ("checkout.session.completed", session("complete", "unpaid"), None),
            ("checkout.session.completed", foreign, None),
            ("checkout.session.async_payment_succeeded", session("complete", "paid"), Some(paid)),
            (
                "checkout.session.async_payment_failed",
                session("complete", "unpaid"),
                Some(ProviderEventKind::Failed("the bank rejected the payment".to_owned())),
            ),
            ("checkout.session.expired", session("expired", "unpaid"), Some(ProviderEventKind::CheckoutExpired)),
            ("refund.created", refunded(REFUND, "pending"), None),
            ("refund.updated", refunded(REFUND, "succeeded"), Some(succeeded)),
            ("refund.failed", refunded(REFUND, "failed"), Some(failed)),
            ("refund.updated", json!({ "id": "re_9", "status": "succeeded", "metadata": {} }), None),
            ("charge.dispute.created", json!({ "id": "dp_1" }), None),
            ("payment_intent.payment_failed", json!({ "id": "pi_1" }), None),
        ] {
            let webhook = parse(&event(kind, &object)).expect("valid");
            assert_eq!(webhook.id, CallbackId { provider: Provider::Stripe, event: "evt_1".to_owned() });
            assert_eq!(
                webhook.event.map(|event| (event.subject, event.kind)),
                expected.map(|kind| (Subject::Attempt("cs_1".to_owned()), kind)),
                "{kind}"
            );
        }
        for body in [json!({}), json!([]), event("checkout.session.completed", &json!({}))] {
            assert_eq!(parse(&body), Err(WebhookError::Message), "{body}");
        }
    }

    #[test]
    fn external_refunds_and_disputes_are_mapped() {
        let external = |status: &str| {
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
        let refunded_there = ProviderEventKind::ExternalRefund {
            refund,
            reference: "re_9".to_owned(),
            reported_amount: "500.00 PKR".to_owned(),
            amount: Some(pkr("500.00")),
        };
        let failed = ProviderEventKind::RefundFailed { refund, reason: "re_9: lost_or_stolen_card".to_owned() };
        let disputed = ProviderEventKind::NeedsReview(
            "the customer's bank disputes 1500.00 PKR (fraudulent); dispute dp_1 has the status needs_response"
                .to_owned(),
        );
        for (kind, object, expected) in [
            ("refund.created", external("pending"), None),
            ("refund.created", external("succeeded"), Some(refunded_there)),
            ("refund.failed", external("failed"), Some(failed)),
            ("charge.dispute.created", dispute, Some(disputed)),
        ] {
            let reported = parse(&event(kind, &object)).expect("valid").event.map(|event| (event.subject, event.kind));
            assert_eq!(reported, expected.map(|kind| (Subject::Money("pi_1".to_owned()), kind)), "{kind}");
        }
    }

    #[test]
    fn a_webhook_without_a_valid_signature_is_rejected() {
        let body = event("checkout.session.completed", &session("complete", "paid")).to_string();
        for signature in [None, Some(signed("another", NOW, &body)), Some(signed("new", NOW - 301, &body))] {
            let header = |_: &str| signature.clone();
            let request = WebhookRequest { header: &header, query: "", body: body.as_bytes() };
            assert_eq!(
                stripe(&transport(&[])).parse_webhook(&request, at(NOW)),
                Err(WebhookError::Signature),
                "{signature:?}"
            );
        }
    }

    #[test]
    fn amounts_are_converted_to_stripes_units() {
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
            let parsed = Money::parse(amount, code).expect("money");
            assert_eq!(units(parsed), expected, "{amount} {code}");
            if let Some(expected) = expected {
                assert_eq!(money(expected, &code.to_lowercase()), Some(parsed), "{amount} {code}");
            }
        }
        assert_eq!((money(150, "xyz"), money(150, "isk")), (None, None));
        assert_eq!(
            (reported_amount(150, "xyz"), reported_amount(150, "usd")),
            ("150 xyz".to_owned(), "1.50 USD".to_owned())
        );
    }
}
