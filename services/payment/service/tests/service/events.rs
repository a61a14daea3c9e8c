//! Events of order take effect once, and concurrent refunds do not exceed the captured amount.

use devstack::testing::{Answer, App, Servers, TestEvent, until};
use futures::future::join_all;
use mart_chassis::sql;
use mart_proto::order::v1::{Contact, Order, OrderAwaitingPayment};
use mart_proto::r#type::v1::Money;
use prost::Message;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::PROGRAM;

/// Publishes twice that an order of 1500 rupees awaits its payment.
pub(crate) async fn publish_awaiting(app: &App, order: Uuid) {
    let seconds = time::OffsetDateTime::now_utc().unix_timestamp() + 2_700;
    let message = Order {
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
    let payload = OrderAwaitingPayment { order: Some(message) }.encode_to_vec();
    let event =
        TestEvent::new("mart.order.v1", "mart.order.v1.OrderAwaitingPayment", payload).about(&order.to_string(), 1);
    for _ in 0..2 {
        app.publish(&event).await;
    }
}

/// Publishes that an order awaits its payment, and waits until the payment is open.
async fn awaiting(app: &App, order: Uuid) {
    publish_awaiting(app, order).await;
    let path = format!("/v1/payments/{order}");
    until("the payment is open", async || app.admin(Method::GET, &path, None).await.status == 200).await;
}

/// Starts payment with these settings and short intervals, and an order of 1500 rupees that awaits its payment.
pub(crate) async fn awaiting_with(settings: Vec<(String, String)>) -> (App, Uuid) {
    let mut spec = Servers::from_env().service("payment", PROGRAM).await.expect("prepared");
    let intervals = [
        ("ATTEMPT_POLL_DELAY", "1s"),
        ("REFUND_RETRY_DELAY", "200ms"),
        ("ATTEMPT_POLL_INTERVAL", "200ms"),
        ("REFUND_INTERVAL", "200ms"),
        ("CALLBACK_INTERVAL", "200ms"),
    ];
    spec.more = settings;
    spec.more.extend(intervals.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let app = App::of_consumer(spec, &["mart.order.v1"]).await;
    let order = Uuid::new_v4();
    awaiting(&app, order).await;
    (app, order)
}

/// Starts an attempt as the order's customer, and returns it.
pub(crate) async fn start_paying(app: &App, order: Uuid) -> Value {
    let token = app.spec.keys.token("customer", "ayesha").expect("signed");
    let bearer = format!("Bearer {token}");
    let path = format!("/v1/payments/{order}/attempts");
    let response = app.send(Method::POST, &path, Some(json!({})), &[("authorization", &bearer)]).await;
    assert!(response.body["attempt"].is_object(), "{} {}", response.status, response.body);
    response.body["attempt"].clone()
}

/// Waits until the payment meets a condition, and returns it.
pub(crate) async fn wait_until(app: &App, order: Uuid, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
    let path = format!("/v1/payments/{order}");
    let mut payment = Value::Null;
    until(what, async || {
        payment = app.admin(Method::GET, &path, None).await.body["payment"].clone();
        condition(&payment)
    })
    .await;
    payment
}

/// Waits until the payment has this status, and returns it.
pub(crate) async fn wait_for_status(app: &App, order: Uuid, status: &str) -> Value {
    let status = format!("PAYMENT_STATUS_{status}");
    wait_until(app, order, &status, |payment| payment["status"] == status.as_str()).await
}

/// Returns the length of a list of the payment.
pub(crate) fn count(payment: &Value, list: &str) -> usize {
    payment[list].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn an_order_that_awaits_payment_opens_a_payment() {
    let app = App::start_consumer("payment", PROGRAM, &["mart.order.v1"]).await;
    let order = Uuid::new_v4();
    awaiting(&app, order).await;
    let listed = app.admin(Method::GET, "/v1/admin/payments", None).await;
    assert_eq!(listed.body["payments"].as_array().map(Vec::len), Some(1), "{}", listed.body);
    // The sandbox does not run, so the customer receives an error.
    let path = format!("/v1/payments/{order}/attempts");
    let token = app.spec.keys.token("customer", "ayesha").expect("signed");
    let bearer = format!("Bearer {token}");
    let started = app.send(Method::POST, &path, Some(json!({})), &[("authorization", &bearer)]).await;
    assert_eq!((started.status, &started.body["code"]), (503, &json!("PROVIDER_UNAVAILABLE")), "{}", started.body);
}

#[tokio::test]
async fn concurrent_refunds_never_exceed_the_captured_amount() {
    let app = App::start_consumer("payment", PROGRAM, &["mart.order.v1"]).await;
    let order = Uuid::new_v4();
    awaiting(&app, order).await;
    // A booked capture, as after a webhook.
    let mut database = app.database().await;
    let attempt = Uuid::new_v4();
    let rows = [
        sql!(
            "insert into attempt (attempt_id, order_id, nth, provider, status, failure, reference, field_names, \
             field_values, expires_at, next_poll_at, created_at) \
             values ($attempt, $order, 0, 'sandbox', 'captured', '', 'cs', '{}', '{}', now(), now(), now())",
            attempt = attempt,
            order = order,
        ),
        sql!(
            "insert into transaction (transaction_id, order_id, nth, kind, amount, provider, reference, attempt_id, at) \
             values (gen_random_uuid(), $order, 0, 'captured', 150000, 'sandbox', 'tx', $attempt, now())",
            attempt = attempt,
            order = order,
        ),
    ];
    for row in rows {
        row.execute(&mut database).await.expect("booked");
    }
    let path = format!("/v1/admin/payments/{order}/refund");
    let refund = async || {
        let amount = json!({ "amount": "100.00", "currencyCode": "PKR" });
        let body = json!({ "amount": amount, "reason": "broken", "refundId": Uuid::new_v4() });
        app.admin(Method::POST, &path, Some(body)).await.status
    };
    let statuses = join_all((0..30).map(|_| refund())).await;
    let number_of = |status: u16| statuses.iter().filter(|found| **found == status).count();
    assert_eq!((number_of(200), number_of(409)), (15, 15), "{statuses:?}");
}

#[tokio::test]
async fn an_unreadable_payment_does_not_break_lists() {
    let app = App::start_consumer("payment", PROGRAM, &["mart.order.v1"]).await;
    let (first, broken, last) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    for order in [first, broken, last] {
        awaiting(&app, order).await;
    }
    let corrupt = sql!("update payment set currency = 'nothing' where order_id = $order_id", order_id = broken);
    let mut database = app.database().await;
    assert_eq!(corrupt.execute(&mut database).await.expect("updated").rows_affected(), 1);
    let ids = |response: &Answer| -> Vec<String> {
        let payments = response.body["payments"].as_array().expect("a list");
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
