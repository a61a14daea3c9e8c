//! Tests of the adapter with a fake transport.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use axum::http::Request;
use mart_kernel::{Money, Timestamp};
use payment_core::domain::{AttemptId, CallbackId, OrderId, Payer, Provider, ProviderEventKind, RefundId, Subject};
use payment_core::ports::{
    CheckoutRequest, PaymentProvider, ProviderError, RefundOutcome, RefundRequest, WebhookError, WebhookEvent,
    WebhookRequest,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Stripe, VERSION, money, reported_amount, units};
use crate::signature::{TOLERANCE, WebhookVerifier, signed};
use crate::transport::Transport;

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
    requests.iter().map(|request| (format!("{} {}", request.method(), request.uri()), fields(request.body()))).collect()
}

fn keys(transport: &FakeTransport) -> Vec<String> {
    let requests = transport.requests.lock().expect("not poisoned");
    let key = |request: &Request<Vec<u8>>| request.headers().get("idempotency-key")?.to_str().ok().map(str::to_owned);
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
        "the customer's bank disputes 1500.00 PKR (fraudulent); dispute dp_1 has the status needs_response".to_owned(),
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
