//! Payment with Stripe: what it asks is right by Stripe's own description, and what comes of Stripe's answers and events is booked once.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use devstack::parts::Part;
use devstack::ports;
use devstack::process::Process;
use devstack::testing::{App, Servers, Told, until};
use hmac::{Hmac, KeyInit, Mac};
use mart_kernel::{Money, Timestamp};
use mart_proto::order::v1::{CancelReason, Order, OrderCancelled};
use payment_core::domain::{AttemptId, Contact, OrderId, RefundId};
use payment_core::ports::{AskCheckout, AskRefund, PaymentProvider, ProviderError};
use payment_service::adapters::stripe::{Stripe, VERSION};
use payment_service::transport::OverHttp;
use prost::Message;
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use crate::events::{awaiting_with, becomes, comes_to, count, start_paying};

const KEY: &str = "sk_test_of_a_test";
const SECRET: &str = "whsec_of_a_test";

/// What this Stripe knows. It says what the tests make it say; what it is asked is held to its rules.
#[derive(Default)]
struct Known {
    sessions: BTreeMap<String, Value>,
    refunds: BTreeMap<String, Value>,
    /// The form and the answer of every key.
    keys: HashMap<String, (Vec<(String, String)>, Value)>,
}

#[derive(Clone, Default)]
struct FakeStripe(Arc<Mutex<Known>>);

type Answer = (StatusCode, Json<Value>);

fn refused(message: &str) -> Answer {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": { "type": "invalid_request_error", "message": message } })))
}

fn let_in(headers: &HeaderMap) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    header("authorization") == format!("Bearer {KEY}") && header("stripe-version") == VERSION
}

impl FakeStripe {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something once for a key; the same key with another form is an error, as it is there.
    fn once(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        make: impl FnOnce(&mut Known, &HashMap<String, String>) -> Result<Value, Answer>,
    ) -> Answer {
        if !let_in(headers) {
            return (StatusCode::UNAUTHORIZED, Json(json!({ "error": { "message": "no such key" } })));
        }
        let Some(key) = headers.get("idempotency-key").and_then(|key| key.to_str().ok()) else {
            return refused("a test wants a key with every request");
        };
        let form: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        let mut known = self.known();
        if let Some((before, answer)) = known.keys.get(key) {
            return if *before == form {
                (StatusCode::OK, Json(answer.clone()))
            } else {
                refused("the key is of another request")
            };
        }
        match make(&mut known, &form.iter().cloned().collect()) {
            Ok(made) => {
                known.keys.insert(key.to_owned(), (form, made.clone()));
                (StatusCode::OK, Json(made))
            }
            Err(refused) => refused,
        }
    }

    fn change(&self, session: &str, change: &Value) -> Value {
        let mut known = self.known();
        let session = known.sessions.get_mut(session).expect("a session");
        for (name, value) in change.as_object().expect("an object") {
            session[name] = value.clone();
        }
        session.clone()
    }

    /// The customer pays; the session as it is then.
    fn pay(&self, session: &str) -> Value {
        self.change(
            session,
            &json!({ "status": "complete", "payment_status": "paid", "payment_intent": format!("pi_{session}") }),
        )
    }

    fn session(&self, id: &str) -> Value {
        self.known().sessions[id].clone()
    }
}

async fn open(State(stripe): State<FakeStripe>, headers: HeaderMap, body: Bytes) -> Answer {
    stripe.once(&headers, &body, |known, form| {
        let of = |name: &str| form.get(name).cloned().unwrap_or_default();
        let ends: i64 = of("expires_at").parse().unwrap_or_default();
        let left = ends - time::OffsetDateTime::now_utc().unix_timestamp();
        if !(1_800..=86_400).contains(&left) {
            return Err(refused("expires_at must be between 30 minutes and 24 hours from now"));
        }
        let id = format!("cs_{}", known.sessions.len());
        let units: i64 = of("line_items[0][price_data][unit_amount]").parse().unwrap_or_default();
        let session = json!({
            "id": id, "object": "checkout.session", "url": format!("https://checkout.stripe.example/{id}"), "status": "open",
            "payment_status": "unpaid", "amount_total": units, "currency": of("line_items[0][price_data][currency]"),
            "payment_intent": null, "expires_at": ends,
        });
        known.sessions.insert(id, session.clone());
        Ok(session)
    })
}

async fn expire(State(stripe): State<FakeStripe>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Answer {
    stripe.once(&headers, &body, |known, _| {
        let session = known.sessions.get_mut(&id).ok_or_else(|| refused("no such session"))?;
        if session["status"] != "open" {
            return Err(refused("only open sessions can be expired"));
        }
        session["status"] = json!("expired");
        Ok(session.clone())
    })
}

async fn session(State(stripe): State<FakeStripe>, Path(id): Path<String>) -> Json<Value> {
    Json(stripe.session(&id))
}

async fn refunds(State(stripe): State<FakeStripe>, Query(asked): Query<HashMap<String, String>>) -> Json<Value> {
    let of = |refund: &&Value| refund["payment_intent"].as_str() == asked.get("payment_intent").map(String::as_str);
    Json(json!({ "data": stripe.known().refunds.values().filter(of).collect::<Vec<_>>(), "has_more": false }))
}

async fn refund(State(stripe): State<FakeStripe>, headers: HeaderMap, body: Bytes) -> Answer {
    stripe.once(&headers, &body, |known, form| {
        let of = |name: &str| form.get(name).cloned().unwrap_or_default();
        let id = format!("re_{}", known.refunds.len());
        let refund = json!({
            "id": id, "object": "refund", "status": "pending", "payment_intent": of("payment_intent"),
            "amount": of("amount").parse::<i64>().unwrap_or_default(),
            "metadata": { "checkout": of("metadata[checkout]"), "refund": of("metadata[refund]") },
        });
        known.refunds.insert(id, refund.clone());
        Ok(refund)
    })
}

/// A Stripe of this test's own, and its address.
async fn fake() -> (FakeStripe, String) {
    let stripe = FakeStripe::default();
    let routes = Router::new()
        .route("/v1/checkout/sessions", post(open))
        .route("/v1/checkout/sessions/{id}", get(session))
        .route("/v1/checkout/sessions/{id}/expire", post(expire))
        .route("/v1/refunds", get(refunds).post(refund))
        .with_state(stripe.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (stripe, format!("http://{address}"))
}

/// Payment with this Stripe alone, with an order of 1500 rupees that awaits payment.
async fn payment(url: &str) -> (App, Uuid) {
    let secrets = format!("{SECRET}, another");
    let more = [
        ("PAYMENT_PROVIDERS", "stripe"),
        ("STRIPE_URL", url),
        ("STRIPE_KEY", KEY),
        ("STRIPE_WEBHOOK_SECRETS", &secrets),
        ("SHOP_URL", "http://shop.example"),
    ];
    awaiting_with(&more).await
}

/// The customer starts to pay; the session.
async fn start(app: &App, order: Uuid) -> String {
    let attempt = start_paying(app, order).await;
    let url = attempt["checkout"]["url"].as_str().unwrap_or_default();
    let session = url.strip_prefix("https://checkout.stripe.example/");
    session.unwrap_or_else(|| panic!("{attempt}")).to_owned()
}

/// Stripe tells something; the status of payment's answer.
async fn tell(app: &App, id: &str, kind: &str, object: &Value, secret: &str) -> u16 {
    let body = json!({ "id": id, "object": "event", "type": kind, "data": { "object": object } }).to_string();
    let at = time::OffsetDateTime::now_utc().unix_timestamp();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(format!("{at}.{body}").as_bytes());
    let hex = mac.finalize().into_bytes().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let url = format!("{}/v1/payment-webhooks/stripe", app.setting.url());
    let sent = app.client.post(url).header("stripe-signature", format!("t={at},v1={hex}")).body(body).send();
    sent.await.expect("answered").status().as_u16()
}

#[tokio::test]
async fn money_is_booked_once_however_often_it_is_told_and_goes_back() {
    let (stripe, url) = fake().await;
    let (app, order) = payment(&url).await;
    let id = start(&app, order).await;
    assert_eq!(start(&app, order).await, id, "a double click is one session");
    let paid = stripe.pay(&id);
    let completed = "checkout.session.completed";
    assert_eq!(tell(&app, "evt_1", completed, &paid, "a stranger's").await, 400);
    for event in ["evt_1", "evt_1", "evt_2"] {
        assert_eq!(tell(&app, event, completed, &paid, SECRET).await, 200);
    }
    // Older than that, and later: it undoes nothing.
    assert_eq!(tell(&app, "evt_0", "checkout.session.expired", &stripe.change(&id, &json!({})), SECRET).await, 200);
    let told = becomes(&app, order, "PAID").await;
    assert_eq!((count(&told, "transactions"), count(&told, "tasks")), (1, 0), "{told}");

    let body = json!({ "reason": "broken", "refundId": Uuid::new_v4() });
    let path = format!("/v1/admin/payments/{order}/refund");
    assert_eq!(app.admin(Method::POST, &path, Some(body)).await.status, 200);
    until("Stripe was asked", async || !stripe.known().refunds.is_empty()).await;
    let refund = {
        let mut known = stripe.known();
        let refund = known.refunds.get_mut("re_0").expect("a refund");
        refund["status"] = json!("succeeded");
        refund.clone()
    };
    for event in ["evt_3", "evt_3", "evt_4"] {
        assert_eq!(tell(&app, event, "refund.updated", &refund, SECRET).await, 200);
    }
    let told = becomes(&app, order, "REFUNDED").await;
    assert_eq!((count(&told, "transactions"), stripe.known().refunds.len()), (2, 1), "{told}");
}

#[tokio::test]
async fn what_stripe_does_not_tell_is_asked_for() {
    let (stripe, url) = fake().await;
    let (app, order) = payment(&url).await;
    let id = start(&app, order).await;
    stripe.pay(&id);
    assert_eq!(count(&becomes(&app, order, "PAID").await, "transactions"), 1);
}

#[tokio::test]
async fn an_amount_that_does_not_fit_is_a_persons_to_decide() {
    let (stripe, url) = fake().await;
    let (app, order) = payment(&url).await;
    let id = start(&app, order).await;
    stripe.change(&id, &json!({ "currency": "usd" }));
    let paid = stripe.pay(&id);
    assert_eq!(tell(&app, "evt_1", "checkout.session.completed", &paid, SECRET).await, 200);
    let told = comes_to(&app, order, "a task", |told| count(told, "tasks") == 1).await;
    assert_eq!(count(&told, "transactions"), 0, "{told}");
    assert!(told["tasks"][0].to_string().contains("150000 usd"), "{told}");
}

#[tokio::test]
async fn the_session_of_a_cancelled_order_is_ended() {
    let (stripe, url) = fake().await;
    let (app, order) = payment(&url).await;
    let id = start(&app, order).await;
    let cancelled = Order {
        order_id: order.to_string(),
        customer_id: "ayesha".to_owned(),
        total: Some(mart_proto::r#type::v1::Money { amount: "1500.00".to_owned(), currency_code: "PKR".to_owned() }),
        cancel_reason: CancelReason::Customer.into(),
        ..Order::default()
    };
    let payload = OrderCancelled { order: Some(cancelled) }.encode_to_vec();
    app.tell(&Told::new("mart.order.v1", "mart.order.v1.OrderCancelled", payload).about(&order.to_string(), 2)).await;
    until("it is over", async || stripe.session(&id)["status"] == "expired").await;
}

/// stripe-mock holds every request against the OpenAPI document that Stripe publishes, and refuses what does not fit.
#[tokio::test]
async fn what_is_asked_is_what_stripe_describes() {
    let program = Part::StripeMock.get().await.expect("stripe-mock");
    let port = ports::any().expect("a port");
    let words = vec![program.display().to_string(), format!("-http-port={port}")];
    let log = Servers::of_this_run().scratch.join("stripe-mock.log");
    let mut mock = Process::start("stripe-mock", words, &[], &log, Signal::TERM).expect("started");
    let url = format!("http://127.0.0.1:{port}");
    // Whatever it answers, it is there.
    mock.until(Duration::from_secs(30), || async { reqwest::get(&url).await.is_ok() }).await.expect("ready");
    let transport = OverHttp::new(&url, Duration::from_secs(10)).expect("a client");
    let stripe = Stripe::new(transport, "sk_test_123", vec![SECRET.to_owned()], "https://shop.example").expect("good");
    let amount = Money::parse("1500.00", "PKR").expect("money");
    let at = Timestamp::new(time::OffsetDateTime::now_utc());
    let expires_at = Timestamp::new(at.get() + time::Duration::minutes(30));
    let (attempt, order, contact) = (AttemptId(Uuid::new_v4()), OrderId(Uuid::new_v4()), Contact::default());
    let asked = AskCheckout { attempt, order, contact, amount, at, expires_at };
    let refund =
        AskRefund { refund: RefundId(Uuid::new_v4()), attempt: "cs_1".to_owned(), captured: "pi_1".to_owned(), amount };
    match stripe.open(&asked).await {
        // Its examples have no page, as sessions that are over have none.
        Ok(_) => {}
        Err(ProviderError::Refused(why)) if why == "the session has no page" => {}
        Err(error) => panic!("{error:?}"),
    }
    stripe.look("cs_1").await.expect("read");
    stripe.end("cs_1").await.expect("ended");
    stripe.refund(&refund).await.expect("asked");
}
