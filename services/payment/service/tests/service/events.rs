//! Events of others arrive and have their effect once; money is kept right while many ask at once.

use devstack::testing::{Answer, App, Servers, TestEvent, until};
use futures::future::join_all;
use mart_proto::order::v1::{Contact, Order, OrderAwaitingPayment};
use mart_proto::r#type::v1::Money;
use prost::Message;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::PROGRAM;

/// An order of 1500 rupees awaits payment.
pub(crate) async fn tell_awaiting(app: &App, order: Uuid) {
    let seconds = time::OffsetDateTime::now_utc().unix_timestamp() + 2_700;
    let told = Order {
        order_id: order.to_string(),
        customer_id: "ayesha".to_owned(),
        total: Some(Money { amount: "1500.00".to_owned(), currency_code: "PKR".to_owned() }),
        payment_deadline: Some(prost_types::Timestamp { seconds, nanos: 0 }),
        contact: Some(Contact {
            email: "ayesha@mart.example".to_owned(),
            phone: "+923001234567".to_owned(),
            ..Contact::default()
        }),
        ..Order::default()
    };
    let payload = OrderAwaitingPayment { order: Some(told) }.encode_to_vec();
    let told =
        TestEvent::new("mart.order.v1", "mart.order.v1.OrderAwaitingPayment", payload).about(&order.to_string(), 1);
    for _ in 0..2 {
        app.publish(&told).await;
    }
}

/// The same, and payment has heard so.
async fn awaiting(app: &App, order: Uuid) {
    tell_awaiting(app, order).await;
    let path = format!("/v1/payments/{order}");
    until("payment has heard of the order", async || app.admin(Method::GET, &path, None).await.status == 200).await;
}

/// Payment with this set, and impatient, with an order of 1500 rupees that awaits payment.
pub(crate) async fn awaiting_with(more: Vec<(String, String)>) -> (App, Uuid) {
    let mut spec = Servers::of_this_run().service("payment", PROGRAM).await.expect("prepared");
    let often = [
        ("ATTEMPT_POLL_DELAY", "1s"),
        ("REFUND_RETRY_DELAY", "200ms"),
        ("ATTEMPT_POLL_INTERVAL", "200ms"),
        ("REFUND_INTERVAL", "200ms"),
        ("CALLBACK_INTERVAL", "200ms"),
    ];
    spec.more = more;
    spec.more.extend(often.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let app = App::of_consumer(spec, &["mart.order.v1"]).await;
    let order = Uuid::new_v4();
    awaiting(&app, order).await;
    (app, order)
}

/// The order's customer starts to pay; the attempt.
pub(crate) async fn start_paying(app: &App, order: Uuid) -> Value {
    let token = app.spec.keys.token("customer", "ayesha").expect("signed");
    let bearer = format!("Bearer {token}");
    let path = format!("/v1/payments/{order}/attempts");
    let told = app.send(Method::POST, &path, Some(json!({})), &[("authorization", &bearer)]).await;
    assert!(told.body["attempt"].is_object(), "{} {}", told.status, told.body);
    told.body["attempt"].clone()
}

/// Waits until the payment is so; the payment.
pub(crate) async fn comes_to(app: &App, order: Uuid, kind: &str, so: impl Fn(&Value) -> bool) -> Value {
    let path = format!("/v1/payments/{order}");
    let mut told = Value::Null;
    until(kind, async || {
        told = app.admin(Method::GET, &path, None).await.body["payment"].clone();
        so(&told)
    })
    .await;
    told
}

/// Waits until the payment has this status; the payment.
pub(crate) async fn becomes(app: &App, order: Uuid, status: &str) -> Value {
    let status = format!("PAYMENT_STATUS_{status}");
    comes_to(app, order, &status, |told| told["status"] == status.as_str()).await
}

/// How many there are in a list of the payment.
pub(crate) fn count(told: &Value, list: &str) -> usize {
    told[list].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn an_order_that_awaits_payment_opens_one() {
    let app = App::start_consumer("payment", PROGRAM, &["mart.order.v1"]).await;
    let order = Uuid::new_v4();
    awaiting(&app, order).await;
    let listed = app.admin(Method::GET, "/v1/admin/payments", None).await;
    assert_eq!(listed.body["payments"].as_array().map(Vec::len), Some(1), "{}", listed.body);
    // Nobody answers where the sandbox should be: the customer is told, and nothing is lost.
    let path = format!("/v1/payments/{order}/attempts");
    let token = app.spec.keys.token("customer", "ayesha").expect("signed");
    let bearer = format!("Bearer {token}");
    let started = app.send(Method::POST, &path, Some(json!({})), &[("authorization", &bearer)]).await;
    assert_eq!((started.status, &started.body["code"]), (503, &json!("PROVIDER_UNAVAILABLE")), "{}", started.body);
}

#[tokio::test]
async fn refunds_that_are_asked_for_at_once_never_exceed_what_came_in() {
    let app = App::start_consumer("payment", PROGRAM, &["mart.order.v1"]).await;
    let order = Uuid::new_v4();
    awaiting(&app, order).await;
    // What a provider's word would have booked.
    let mut database = app.database().await;
    let attempt = Uuid::new_v4();
    for sql in [
        "insert into attempt (attempt_id, order_id, nth, provider, status, failure, reference, field_names, field_values, \
         expires_at, next_poll_at, created_at) values ($2, $1, 0, 'sandbox', 'captured', '', 'cs', '{}', '{}', now(), now(), now())",
        "insert into transaction (transaction_id, order_id, nth, kind, amount, provider, reference, attempt_id, at) \
         values (gen_random_uuid(), $1, 0, 'captured', 150000, 'sandbox', 'tx', $2, now())",
    ] {
        sqlx::query(sql).bind(order).bind(attempt).execute(&mut database).await.expect("booked");
    }
    let path = format!("/v1/admin/payments/{order}/refund");
    let refund = async || {
        let amount = json!({ "amount": "100.00", "currencyCode": "PKR" });
        let body = json!({ "amount": amount, "reason": "broken", "refundId": Uuid::new_v4() });
        app.admin(Method::POST, &path, Some(body)).await.status
    };
    let statuses = join_all((0..30).map(|_| refund())).await;
    let of = |status: u16| statuses.iter().filter(|found| **found == status).count();
    assert_eq!((of(200), of(409)), (15, 15), "{statuses:?}");
}

#[tokio::test]
async fn an_unreadable_payment_breaks_no_list() {
    let app = App::start_consumer("payment", PROGRAM, &["mart.order.v1"]).await;
    let (first, broken, last) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    for order in [first, broken, last] {
        awaiting(&app, order).await;
    }
    let spoil = "update payment set currency = 'nothing' where order_id = $1";
    let mut database = app.database().await;
    assert_eq!(sqlx::query(spoil).bind(broken).execute(&mut database).await.expect("spoiled").rows_affected(), 1);
    let ids = |answer: &Answer| -> Vec<String> {
        let payments = answer.body["payments"].as_array().expect("a list");
        payments.iter().filter_map(|payment| payment["orderId"].as_str().map(str::to_owned)).collect()
    };
    let listed = app.admin(Method::GET, "/v1/admin/payments", None).await;
    assert_eq!(ids(&listed), [last.to_string(), first.to_string()], "{}", listed.body);
    let page = app.admin(Method::GET, "/v1/admin/payments?pageSize=1", None).await;
    assert_eq!(ids(&page), [last.to_string()]);
    let token = page.body["nextPageToken"].as_str().expect("a token");
    let rest = app.admin(Method::GET, &format!("/v1/admin/payments?pageSize=1&pageToken={token}"), None).await;
    assert_eq!(ids(&rest), [first.to_string()]);
    let read = app.admin(Method::GET, &format!("/v1/payments/{broken}"), None).await;
    assert_eq!((read.status, &read.body["code"]), (500, &json!("INTERNAL")), "{}", read.body);
}
