//! Payment with Stripe: what it asks is right by Stripe's own description, and what comes of Stripe's answers and events is booked once.

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

use crate::events::{awaiting_with, becomes, comes_to, count, start_paying};

/// Payment with a Stripe of its own alone, with an order of 1500 rupees that awaits payment.
async fn payment() -> (App, Uuid, FakeStripe) {
    let stripe = FakeStripe::default();
    let mut more = stripe.serve().await.expect("served");
    more.push(("PAYMENT_PROVIDERS".to_owned(), "stripe".to_owned()));
    // While it is rotated.
    more.push(("STRIPE_WEBHOOK_SECRETS".to_owned(), format!("another, {}", FakeStripe::SECRET)));
    let (app, order) = awaiting_with(more).await;
    (app, order, stripe)
}

/// The customer starts to pay; the session.
async fn start(app: &App, order: Uuid) -> String {
    let attempt = start_paying(app, order).await;
    let page = attempt["checkout"]["url"].as_str().unwrap_or_default();
    FakeStripe::session_of(page).unwrap_or_else(|| panic!("{attempt}")).to_owned()
}

/// Stripe tells something; the status of payment's answer.
async fn tell(app: &App, id: &str, kind: &str, object: &Value, secret: &str) -> u16 {
    let body = json!({ "id": id, "object": "event", "type": kind, "data": { "object": object } }).to_string();
    let signature = sandbox::sign(secret, &body, OffsetDateTime::now_utc());
    let url = format!("{}/v1/payment-webhooks/stripe", app.spec.url());
    let sent = app.client.post(url).header("stripe-signature", signature).body(body).send();
    sent.await.expect("answered").status().as_u16()
}

/// The customer pays, and nobody is told; the session as it is then.
fn pay(stripe: &FakeStripe, id: &str) -> Value {
    let pay = serde_json::from_value(json!({ "action": "pay" })).expect("an action");
    stripe.act(id, &pay, OffsetDateTime::now_utc()).expect("paid");
    stripe.session(id).expect("a session")
}

#[tokio::test]
async fn money_is_booked_once_however_often_it_is_told_and_goes_back() {
    let (app, order, stripe) = payment().await;
    let id = start(&app, order).await;
    assert_eq!(start(&app, order).await, id, "a double click is one session");
    let paid = pay(&stripe, &id);
    let completed = "checkout.session.completed";
    assert_eq!(tell(&app, "evt_1", completed, &paid, "a stranger's").await, 400);
    for event in ["evt_1", "evt_1", "evt_2"] {
        assert_eq!(tell(&app, event, completed, &paid, FakeStripe::SECRET).await, 200);
    }
    // Older than that, and later: it undoes nothing.
    assert_eq!(
        tell(&app, "evt_0", "checkout.session.expired", &stripe.session(&id).expect("a session"), FakeStripe::SECRET)
            .await,
        200
    );
    let told = becomes(&app, order, "PAID").await;
    assert_eq!((count(&told, "transactions"), count(&told, "tasks")), (1, 0), "{told}");

    let body = json!({ "reason": "broken", "refundId": Uuid::new_v4() });
    stripe.refunds_become(&id, "pending");
    let path = format!("/v1/admin/payments/{order}/refund");
    assert_eq!(app.admin(Method::POST, &path, Some(body)).await.status, 200);
    until("Stripe was asked", async || !stripe.refunds().is_empty()).await;
    let refund = stripe.change("re_0", &json!({ "status": "succeeded" })).expect("a refund");
    for event in ["evt_3", "evt_3", "evt_4"] {
        assert_eq!(tell(&app, event, "refund.updated", &refund, FakeStripe::SECRET).await, 200);
    }
    let told = becomes(&app, order, "REFUNDED").await;
    assert_eq!((count(&told, "transactions"), stripe.refunds().len()), (2, 1), "{told}");
}

#[tokio::test]
async fn what_stripe_does_not_tell_is_asked_for() {
    let (app, order, stripe) = payment().await;
    let id = start(&app, order).await;
    pay(&stripe, &id);
    assert_eq!(count(&becomes(&app, order, "PAID").await, "transactions"), 1);
}

#[tokio::test]
async fn an_amount_that_does_not_fit_is_a_persons_to_decide() {
    let (app, order, stripe) = payment().await;
    let id = start(&app, order).await;
    stripe.change(&id, &json!({ "currency": "usd" }));
    let paid = pay(&stripe, &id);
    assert_eq!(tell(&app, "evt_1", "checkout.session.completed", &paid, FakeStripe::SECRET).await, 200);
    let told = comes_to(&app, order, "a task", |told| count(told, "tasks") == 1).await;
    assert_eq!(count(&told, "transactions"), 0, "{told}");
    assert!(told["tasks"][0].to_string().contains("1500.00 USD"), "{told}");
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
    until("it is over", async || stripe.session(&id).is_some_and(|session| session["status"] == "expired")).await;
}

#[test]
fn the_version_is_the_one_that_the_fake_speaks() {
    assert_eq!(VERSION, FakeStripe::VERSION);
}

/// stripe-mock holds every request against the OpenAPI document that Stripe publishes, and refuses what does not fit.
#[tokio::test]
async fn what_is_asked_is_what_stripe_describes() {
    let program = toolchain::get(Tool::StripeMock).await.expect("stripe-mock");
    let port = ports::any().expect("a port");
    let words = vec![program.display().to_string(), format!("-http-port={port}")];
    let log = Servers::of_this_run().scratch.join("stripe-mock.log");
    let mut mock = Process::start("stripe-mock", words, &[], &log, Signal::TERM).expect("started");
    let url = format!("http://127.0.0.1:{port}");
    // Whatever it answers, it is there.
    mock.until(Duration::from_mins(3), || async { devstack::http::client().get(&url).send().await.is_ok() })
        .await
        .expect("ready");
    let transport = HttpTransport::new(&url, Duration::from_mins(1)).expect("a client");
    let signatures = WebhookVerifier::new(vec![FakeStripe::SECRET.to_owned()], TOLERANCE);
    let stripe = Stripe::new(transport, "sk_test_123", signatures, "https://shop.example");
    let amount = Money::parse("1500.00", "PKR").expect("money");
    let at = Timestamp::new(OffsetDateTime::now_utc());
    let expires_at = Timestamp::new(at.get() + time::Duration::minutes(30));
    let (attempt, order, payer) = (AttemptId(Uuid::new_v4()), OrderId(Uuid::new_v4()), Payer::default());
    let asked = CheckoutRequest { attempt, order, payer, amount, at, expires_at };
    let refund = RefundRequest {
        refund: RefundId(Uuid::new_v4()),
        attempt: "cs_1".to_owned(),
        captured: "pi_1".to_owned(),
        amount,
    };
    match stripe.open(&asked).await {
        // Its examples have no page, as sessions that are over have none.
        Ok(_) => {}
        Err(ProviderError::Rejected(why)) if why == "the session has no page" => {}
        Err(error) => panic!("{error:?}"),
    }
    stripe.look("cs_1").await.expect("read");
    stripe.end("cs_1").await.expect("ended");
    stripe.refund(&refund).await.expect("asked");
}
