//! Tests of the adapter with a fake transport.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use axum::http::Request;
use mart_kernel::{Money, Timestamp};
use payment_core::domain::{AttemptId, OrderId, ProviderEventKind};
use payment_core::ports::{
    CheckoutRequest, PaymentProvider, ProviderError, RefundOutcome, RefundRequest, WebhookError, WebhookEvent,
    WebhookRequest,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{FORM, Merchant, PayFast, TOKEN};
use crate::transport::Transport;

/// The hash of `BAS-01|jdnkaabcks|102|000` in PayFast's documentation.
const HASH: &str = "e8192a7554dd699975adf39619c703a492392edf5e416a61e183866ecdf6a2a2";

struct FakeTransport {
    response: (u16, Value),
    requests: Mutex<Vec<Request<Vec<u8>>>>,
}

#[async_trait]
impl Transport for &FakeTransport {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<(u16, Vec<u8>), String> {
        self.requests.lock().expect("not poisoned").push(request);
        Ok((self.response.0, self.response.1.to_string().into_bytes()))
    }
}

fn transport(status: u16, response: Value) -> FakeTransport {
    FakeTransport { response: (status, response), requests: Mutex::default() }
}

fn payfast(transport: &FakeTransport) -> PayFast<&FakeTransport> {
    let text = str::to_owned;
    let merchant = Merchant {
        url: text("https://payfast.example"),
        id: text("102"),
        name: text("mart"),
        keys: vec![text("new"), text("jdnkaabcks")],
        callback: text("https://api.shop.example/v1/payment-webhooks/payfast"),
        shop: text("https://shop.example"),
    };
    PayFast::new(transport, merchant)
}

fn parse_as(content_type: &str, query: &str, body: &str) -> Result<WebhookEvent, WebhookError> {
    let header = |name: &str| (name == "content-type").then(|| content_type.to_owned());
    let now = Timestamp::from_unix_micros(0).expect("in range");
    payfast(&transport(200, Value::Null))
        .parse_webhook(&WebhookRequest { header: &header, query, body: body.as_bytes() }, now)
}

fn parse(body: &str) -> Result<WebhookEvent, WebhookError> {
    parse_as("application/x-www-form-urlencoded", "", body)
}

fn paid(amount: &str) -> String {
    format!(
        "err_code=000&err_msg=&basket_id=BAS-01&transaction_id=77&validation_hash={HASH}\
         &transaction_amount={amount}&transaction_currency=PKR"
    )
}

fn kind(webhook: Result<WebhookEvent, WebhookError>) -> ProviderEventKind {
    webhook.expect("valid").event.expect("event").kind
}

fn captured(reported_amount: &str, amount: Option<&str>) -> ProviderEventKind {
    let amount = amount.map(|amount| Money::parse(amount, "PKR").expect("money"));
    ProviderEventKind::Captured {
        reference: "77 of BAS-01".to_owned(),
        reported_amount: format!("{reported_amount} PKR"),
        amount,
    }
}

fn checkout(amount: &str, currency: &str) -> CheckoutRequest {
    let at = |seconds: i64| Timestamp::from_unix_micros(seconds * 1_000_000).expect("in range");
    let payer = payment_core::domain::Payer {
        email: "a@mart.example".to_owned(),
        phone: "+923001234567".to_owned(),
        ..Default::default()
    };
    CheckoutRequest {
        attempt: AttemptId(Uuid::from_u128(1)),
        order: OrderId(Uuid::from_u128(2)),
        payer,
        amount: Money::parse(amount, currency).expect("money"),
        at: at(1_800_000_000),
        expires_at: at(1_800_001_800),
    }
}

#[tokio::test]
async fn a_checkout_is_a_form_with_a_token_and_without_the_key() {
    let transport = transport(200, json!({ "ACCESS_TOKEN": "t0k3n" }));
    let opened = payfast(&transport).open(&checkout("1500.00", "PKR")).await.expect("opened");
    assert_eq!(opened.reference, Uuid::from_u128(1).to_string());
    assert_eq!(opened.checkout.url, format!("https://payfast.example{FORM}"));
    let fields: BTreeMap<String, String> = opened.checkout.fields.into_iter().collect();
    for (name, value) in [
        ("TOKEN", "t0k3n"),
        ("TXNAMT", "1500.00"),
        ("BASKET_ID", &opened.reference),
        ("ORDER_DATE", "2027-01-15 08:00:00"),
        ("CUSTOMER_EMAIL_ADDRESS", "a@mart.example"),
        ("CUSTOMER_MOBILE_NO", "+923001234567"),
        ("CHECKOUT_URL", "https://api.shop.example/v1/payment-webhooks/payfast"),
        ("CURRENCY_CODE", "PKR"),
    ] {
        assert_eq!(fields[name], value, "{name}");
    }
    assert!(!fields.values().any(|value| value.contains("new") || value.contains("jdnkaabcks")), "{fields:?}");
    let requests = transport.requests.lock().expect("not poisoned");
    assert_eq!(
        (requests[0].method().as_str(), requests[0].uri().path(), requests[0].uri().query()),
        ("POST", TOKEN, None)
    );
    let form: BTreeMap<String, String> = form_urlencoded::parse(requests[0].body()).into_owned().collect();
    assert_eq!((form["SECURED_KEY"].as_str(), form["TXNAMT"].as_str()), ("new", "1500.00"));
    assert!(requests[0].headers().contains_key("user-agent"));
}

#[tokio::test]
async fn no_checkout_without_a_token_or_in_another_currency() {
    for (status, response) in [(200, json!({})), (200, json!("sorry")), (500, json!({ "ACCESS_TOKEN": "t0k3n" }))] {
        let transport = transport(status, response);
        assert_eq!(
            payfast(&transport).open(&checkout("1500.00", "PKR")).await,
            Err(ProviderError::Unavailable),
            "{status}"
        );
    }
    let transport = transport(200, json!({ "ACCESS_TOKEN": "t0k3n" }));
    assert!(matches!(payfast(&transport).open(&checkout("15.00", "USD")).await, Err(ProviderError::Rejected(_))));
    assert!(transport.requests.lock().expect("not poisoned").is_empty());
}

#[test]
fn a_notification_is_a_form_or_json_or_in_the_query() {
    let expected = captured("1500.00", Some("1500.00"));
    assert_eq!(kind(parse(&paid("1500.00"))), expected);
    let fields: BTreeMap<String, String> = form_urlencoded::parse(paid("1500.00").as_bytes()).into_owned().collect();
    let json = serde_json::to_string(&fields).expect("JSON");
    assert_eq!(kind(parse_as("application/json; charset=utf-8", "", &json)), expected);
    assert_eq!(kind(parse_as("", &paid("1500.00"), "")), expected);
    assert_eq!(kind(parse(&paid("1500.00").replace(HASH, &HASH.to_uppercase()))), expected);
}

#[test]
fn a_forged_or_malformed_notification_is_rejected() {
    for (case, body) in [
        ("no hash", paid("1.00").replace(HASH, "")),
        ("another hash", paid("1.00").replace(HASH, &"0".repeat(64))),
        ("hash of another basket", paid("1.00").replace("BAS-01", "BAS-02")),
        ("hash of another code", paid("1.00").replace("err_code=000", "err_code=00")),
        ("empty body", String::new()),
    ] {
        assert_eq!(parse(&body), Err(WebhookError::Signature), "{case}");
    }
    assert_eq!(parse_as("application/json", "", "[]"), Err(WebhookError::Message));
    for transaction in ["", &"7".repeat(65), "7%007", "7%0A"] {
        let body = paid("1.00").replace("transaction_id=77", &format!("transaction_id={transaction}"));
        assert_eq!(parse(&body), Err(WebhookError::Message), "{body}");
    }
    assert_eq!(parse(&paid(&"9".repeat(65))), Err(WebhookError::Message));
}

#[test]
fn a_replayed_hash_is_the_same_event() {
    let first = parse(&paid("1.00")).expect("valid");
    for forged in [paid("1500.00"), paid("1.00").replace("transaction_id=77", "transaction_id=78")] {
        assert_eq!(parse(&forged).expect("valid").id, first.id, "{forged}");
    }
}

#[test]
fn an_amount_may_have_up_to_two_decimals_and_is_kept_as_text() {
    for (reported_amount, amount) in [
        ("1500.00", Some("1500.00")),
        ("1500", Some("1500.00")),
        ("1500.5", Some("1500.50")),
        ("1500.505", None),
        ("1,500.00", None),
        ("", None),
    ] {
        assert_eq!(kind(parse(&paid(reported_amount))), captured(reported_amount, amount), "{reported_amount}");
    }
}

#[tokio::test]
async fn refunds_are_manual() {
    let request = RefundRequest {
        refund: payment_core::domain::RefundId(Uuid::from_u128(3)),
        attempt: "BAS-01".to_owned(),
        captured: "77".to_owned(),
        amount: Money::parse("1500.00", "PKR").expect("money"),
    };
    assert_eq!(payfast(&transport(200, Value::Null)).refund(&request).await, Ok(RefundOutcome::Manual));
}
