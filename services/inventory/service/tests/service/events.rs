//! The effects of other services' events on stock, on real servers.

use devstack::testing::{App, TestEvent, until};
use mart_proto::order::v1 as order;
use mart_proto::product::v1 as product;
use prost::Message;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::PROGRAM;

pub(crate) const TOPICS: [&str; 2] = ["mart.product.v1", "mart.order.v1"];

/// Returns ProductCreated.
pub(crate) fn created(id: Uuid) -> TestEvent {
    let product = product::Product { product_id: id.to_string(), ..product::Product::default() };
    let payload = product::ProductCreated { product: Some(product) }.encode_to_vec();
    TestEvent::new("mart.product.v1", "mart.product.v1.ProductCreated", payload).about(&id.to_string(), 1)
}

fn an_order(id: Uuid, lines: &[(Uuid, i32)]) -> order::Order {
    let line = |(product, quantity): &(Uuid, i32)| order::OrderLine {
        product_id: product.to_string(),
        quantity: *quantity,
        ..order::OrderLine::default()
    };
    let lines = lines.iter().map(line).collect();
    order::Order { order_id: id.to_string(), lines, ..order::Order::default() }
}

/// Returns OrderPlaced.
pub(crate) fn placed(id: Uuid, lines: &[(Uuid, i32)]) -> TestEvent {
    let payload = order::OrderPlaced { order: Some(an_order(id, lines)) }.encode_to_vec();
    TestEvent::new("mart.order.v1", "mart.order.v1.OrderPlaced", payload).about(&id.to_string(), 1)
}

/// Waits until a product has a stock item.
pub(crate) async fn wait_for_stock_item(app: &App, id: Uuid) {
    let path = format!("/v1/admin/stock-items/{id}");
    until("the product has a stock item", async || app.admin(Method::GET, &path, None).await.status == 200).await;
}

pub(crate) async fn receive(app: &App, id: Uuid, quantity: i32) {
    let path = format!("/v1/admin/stock-items/{id}/receive");
    let body = json!({ "quantity": quantity, "reason": "delivery 7" });
    let answer = app.admin(Method::POST, &path, Some(body)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}

async fn item(app: &App, id: Uuid) -> Value {
    app.admin(Method::GET, &format!("/v1/admin/stock-items/{id}"), None).await.body["stockItem"].clone()
}

async fn status(app: &App, order: Uuid) -> String {
    let answer = app.admin(Method::GET, &format!("/v1/admin/reservations/{order}"), None).await;
    answer.body["reservation"]["status"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn duplicate_order_events_change_stock_once() {
    let app = App::start_consumer("inventory", PROGRAM, &TOPICS).await;
    let (mug, id) = (Uuid::now_v7(), Uuid::now_v7());
    let event = created(mug);
    app.publish(&event).await;
    app.publish(&event).await;
    wait_for_stock_item(&app, mug).await;
    receive(&app, mug, 5).await;
    let lines = [(mug, 2), (mug, 1)];
    let confirmed = order::OrderConfirmed { order: Some(an_order(id, &lines)) }.encode_to_vec();
    let cancelled = order::OrderCancelled { order: Some(an_order(id, &lines)) }.encode_to_vec();
    let steps = [
        (placed(id, &lines), "RESERVATION_STATUS_RESERVED", (5, 3)),
        (
            TestEvent::new("mart.order.v1", "mart.order.v1.OrderConfirmed", confirmed),
            "RESERVATION_STATUS_COMMITTED",
            (2, 0),
        ),
        (
            TestEvent::new("mart.order.v1", "mart.order.v1.OrderCancelled", cancelled),
            "RESERVATION_STATUS_RETURNED",
            (5, 0),
        ),
    ];
    for (event, expected, stock) in steps {
        app.publish(&event).await;
        app.publish(&event).await;
        until(expected, async || status(&app, id).await == expected).await;
        let item = item(&app, mug).await;
        assert_eq!((item["onHand"].as_i64(), item["reserved"].as_i64()), (Some(stock.0), Some(stock.1)), "{item}");
    }
    let ledger = app.admin(Method::GET, &format!("/v1/admin/stock-items/{mug}/ledger-entries"), None).await;
    let kinds: Vec<&str> =
        ledger.body["ledgerEntries"].as_array().expect("a list").iter().filter_map(|e| e["kind"].as_str()).collect();
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.trim_start_matches("LEDGER_KIND_")).collect();
    assert_eq!(kinds, ["RETURNED", "COMMITTED", "RESERVED", "RECEIVED"]);
}

#[tokio::test]
async fn two_replicas_expire_a_reservation_once() {
    let mut spec = devstack::testing::Servers::from_env().service("inventory", PROGRAM).await.expect("prepared");
    let short = [("RESERVATION_TTL", "1s"), ("RESERVATION_EXPIRY_INTERVAL", "50ms")];
    spec.more = short.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let app = App::of_consumer(spec, &TOPICS).await;
    let replica = app.replica().await;
    let (mug, id) = (Uuid::now_v7(), Uuid::now_v7());
    app.publish(&created(mug)).await;
    wait_for_stock_item(&app, mug).await;
    receive(&app, mug, 5).await;
    app.publish(&placed(id, &[(mug, 2)])).await;
    until("the reservation is expired", async || status(&replica, id).await == "RESERVATION_STATUS_EXPIRED").await;
    let item = item(&app, mug).await;
    assert_eq!((item["onHand"].as_i64(), item["reserved"].as_i64()), (Some(5), Some(0)), "{item}");
    let entries = sqlx::query_scalar("select count(*) from ledger_entry where kind = 'expired'");
    let entries: i64 = entries.fetch_one(&mut app.database().await).await.expect("counted");
    assert_eq!(entries, 1);
}

#[tokio::test]
async fn an_order_with_an_invalid_id_is_a_dead_letter() {
    let app = App::start_consumer("inventory", PROGRAM, &TOPICS).await;
    let payload = order::OrderPlaced { order: None }.encode_to_vec();
    app.publish(&TestEvent::new("mart.order.v1", "mart.order.v1.OrderPlaced", payload)).await;
    until("the event is a dead letter", async || {
        let letters = app.client.get(format!("{}/dead-letters", app.spec.internal_url())).send().await;
        let letters: Value = letters.expect("a response").json().await.expect("JSON");
        letters["deadLetters"][0]["reason"] == "invalid id"
    })
    .await;
}
