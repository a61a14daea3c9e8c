//! Payments through a fake Stripe, and requests that stripe-mock checks.

use std::time::Duration;

use devstack::process::Process;
use devstack::providers::FakeStripe;
use devstack::testing::{App, Servers, TestEvent, until};
use devstack::toolchain::{self, Tool};
use devstack::{ports, sandbox};
use mart_kernel::{Money, Timestamp};
use mart_proto::order::v1::{CancelReason, Order, OrderCancelled};
use payment_core::domain::{AttemptId, OrderId, Payer, RefundId};
use payment_core::ports::{CheckoutRequest, PaymentProvider, ProviderError, RefundRequest};
use payment_service::adapters::stripe::{Stripe, VERSION};
use payment_service::signature::{TOLERANCE, WebhookVerifier};
use payment_service::transport::HttpTransport;
use prost::Message;
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::events::{awaiting_with, count, start_paying, wait_for_status, wait_until};

/// Starts payment with a fake Stripe as its only provider, and an order of 1500 rupees that awaits its payment.
async fn payment() -> (App, Uuid, FakeStripe) {
    let stripe = FakeStripe::default();
    let mut settings = stripe.serve().await.expect("served");
    settings.push(("PAYMENT_PROVIDERS".to_owned(), "stripe".to_owned()));
    // During a rotation.
    settings.push(("STRIPE_WEBHOOK_SECRETS".to_owned(), format!("another, {}", FakeStripe::SECRET)));
    let (app, order) = awaiting_with(settings).await;
    (app, order, stripe)
}

/// Starts an attempt, and returns its session.
async fn start(app: &App, order: Uuid) -> String {
    let attempt = start_paying(app, order).await;
    let page = attempt["checkout"]["url"].as_str().unwrap_or_default();
    FakeStripe::session_of(page).unwrap_or_else(|| panic!("{attempt}")).to_owned()
}

/// Sends an event of Stripe's, and returns the status of the response.
async fn send_event(app: &App, id: &str, kind: &str, object: &Value, secret: &str) -> u16 {
    let body = json!({ "id": id, "object": "event", "type": kind, "data": { "object": object } }).to_string();
    let signature = sandbox::sign(secret, &body, OffsetDateTime::now_utc());
    let url = format!("{}/v1/payment-webhooks/stripe", app.spec.url());
    let request = app.client.post(url).header("stripe-signature", signature).body(body).send();
    request.await.expect("a response").status().as_u16()
}

/// Pays a session without a webhook, and returns the session.
fn pay(stripe: &FakeStripe, id: &str) -> Value {
    let pay = serde_json::from_value(json!({ "action": "pay" })).expect("an action");
    stripe.act(id, &pay, OffsetDateTime::now_utc()).expect("paid");
    stripe.session(id).expect("a session")
}

#[tokio::test]
async fn repeated_events_book_a_payment_and_its_refund_once() {
    let (app, order, stripe) = payment().await;
    let id = start(&app, order).await;
    assert_eq!(start(&app, order).await, id, "a double click starts one session");
    let paid = pay(&stripe, &id);
    let completed = "checkout.session.completed";
    assert_eq!(send_event(&app, "evt_1", completed, &paid, "another secret").await, 400);
    for event in ["evt_1", "evt_1", "evt_2"] {
        assert_eq!(send_event(&app, event, completed, &paid, FakeStripe::SECRET).await, 200);
    }
    // An older event that arrives later has no effect.
    assert_eq!(
        send_event(
            &app,
            "evt_0",
            "checkout.session.expired",
            &stripe.session(&id).expect("a session"),
            FakeStripe::SECRET
        )
        .await,
        200
    );
    let payment = wait_for_status(&app, order, "PAID").await;
    assert_eq!((count(&payment, "transactions"), count(&payment, "tasks")), (1, 0), "{payment}");

    let body = json!({ "reason": "broken", "refundId": Uuid::new_v4() });
    stripe.set_refund_status(&id, "pending");
    let path = format!("/v1/admin/payments/{order}/refund");
    assert_eq!(app.admin(Method::POST, &path, Some(body)).await.status, 200);
    until("the refund was sent", async || !stripe.refunds().is_empty()).await;
    let refund = stripe.change("re_0", &json!({ "status": "succeeded" })).expect("a refund");
    for event in ["evt_3", "evt_3", "evt_4"] {
        assert_eq!(send_event(&app, event, "refund.updated", &refund, FakeStripe::SECRET).await, 200);
    }
    let payment = wait_for_status(&app, order, "REFUNDED").await;
    assert_eq!((count(&payment, "transactions"), stripe.refunds().len()), (2, 1), "{payment}");
}

#[tokio::test]
async fn a_payment_without_a_webhook_is_polled() {
    let (app, order, stripe) = payment().await;
    let id = start(&app, order).await;
    pay(&stripe, &id);
    assert_eq!(count(&wait_for_status(&app, order, "PAID").await, "transactions"), 1);
}

#[tokio::test]
async fn an_amount_that_does_not_match_is_a_task() {
    let (app, order, stripe) = payment().await;
    let id = start(&app, order).await;
    stripe.change(&id, &json!({ "currency": "usd" }));
    let paid = pay(&stripe, &id);
    assert_eq!(send_event(&app, "evt_1", "checkout.session.completed", &paid, FakeStripe::SECRET).await, 200);
    let payment = wait_until(&app, order, "a task", |payment| count(payment, "tasks") == 1).await;
    assert_eq!(count(&payment, "transactions"), 0, "{payment}");
    assert!(payment["tasks"][0].to_string().contains("1500.00 USD"), "{payment}");
}

#[tokio::test]
async fn the_session_of_a_cancelled_order_is_ended() {
    let (app, order, stripe) = payment().await;
    let id = start(&app, order).await;
    let cancelled = Order {
        order_id: order.to_string(),
        customer_id: "ayesha".to_owned(),
        total: Some(mart_proto::r#type::v1::Money { amount: "1500.00".to_owned(), currency_code: "PKR".to_owned() }),
        cancel_reason: CancelReason::Customer.into(),
        ..Order::default()
    };
    let payload = OrderCancelled { order: Some(cancelled) }.encode_to_vec();
    app.publish(&TestEvent::new("mart.order.v1", "mart.order.v1.OrderCancelled", payload).about(&order.to_string(), 2))
        .await;
    until("the session has expired", async || {
        stripe.session(&id).is_some_and(|session| session["status"] == "expired")
    })
    .await;
}

#[test]
fn the_fake_has_the_version_of_the_adapter() {
    assert_eq!(VERSION, FakeStripe::VERSION);
}

/// stripe-mock validates each request against Stripe's OpenAPI document.
#[tokio::test]
async fn requests_match_stripes_openapi() {
    let program = toolchain::get(Tool::StripeMock).await.expect("stripe-mock");
    let port = ports::any().expect("a port");
    let arguments = vec![program.display().to_string(), format!("-http-port={port}")];
    let log = Servers::from_env().scratch.join("stripe-mock.log");
    let mut mock = Process::start("stripe-mock", arguments, &[], &log, Signal::TERM).expect("started");
    let url = format!("http://127.0.0.1:{port}");
    // Any response shows that it is ready.
    mock.wait_until(Duration::from_mins(3), || async { devstack::http::client().get(&url).send().await.is_ok() })
        .await
        .expect("ready");
    let transport = HttpTransport::new(&url, Duration::from_mins(1)).expect("a client");
    let verifier = WebhookVerifier::new(vec![FakeStripe::SECRET.to_owned()], TOLERANCE);
    let stripe = Stripe::new(transport, "sk_test_123", verifier, "https://shop.example");
    let amount = Money::parse("1500.00", "PKR").expect("money");
    let at = Timestamp::new(OffsetDateTime::now_utc());
    let expires_at = Timestamp::new(at.get() + time::Duration::minutes(30));
    let (attempt, order, payer) = (AttemptId(Uuid::new_v4()), OrderId(Uuid::new_v4()), Payer::default());
    let checkout = CheckoutRequest { attempt, order, payer, amount, at, expires_at };
    let refund = RefundRequest {
        refund: RefundId(Uuid::new_v4()),
        attempt: "cs_1".to_owned(),
        captured: "pi_1".to_owned(),
        amount,
    };
    match stripe.open(&checkout).await {
        // The sessions of stripe-mock are examples without a URL, like ended sessions.
        Ok(_) => {}
        Err(ProviderError::Rejected(reason)) if reason == "the session has no URL" => {}
        Err(error) => panic!("{error:?}"),
    }
    stripe.poll("cs_1").await.expect("polled");
    stripe.end("cs_1").await.expect("ended");
    stripe.refund(&refund).await.expect("sent");
}
