//! The steps of inventory.

#![allow(clippy::needless_pass_by_value, reason = "cucumber passes captures as strings")]

use cucumber::gherkin::Step;
use cucumber::{given, then, when};
use features::{Record, words};
use mart_proto::inventory::v1::StockRejected;
use mart_proto::order::v1::{OrderCancelled, OrderConfirmed, OrderPlaced, OrderReinstated};
use mart_proto::product::v1::{Product, ProductArchived, ProductCreated, ProductRepublished, ProductStatus};
use prost::Message;
use serde_json::json;

use crate::world::World;

features::steps!(response invalid again settle);

#[given(regex = r"^(\d+) (\w+) in stock$")]
async fn in_stock(world: &mut World, units: i32, name: String) {
    publish_product(world, name.clone(), "created".to_owned()).await;
    world.mart.settle().await;
    if units > 0 {
        receive(world, units, name).await;
        assert_eq!(world.mart.answer().status, 201, "{:?}", world.mart.answer());
    }
}

#[when(regex = r"^the product service publishes that the (\w+) is (created|archived|on sale)$")]
async fn publish_product(world: &mut World, name: String, what: String) {
    let product_id = world.product(&name);
    let status = if what == "archived" { ProductStatus::Archived } else { ProductStatus::Active };
    let product = Product { product_id: product_id.clone(), status: status.into(), ..Product::default() };
    let (topic, product) = ("mart.product.v1", Some(product));
    match what.as_str() {
        "created" => world.publish(topic, &product_id, &ProductCreated { product }).await,
        "archived" => world.publish(topic, &product_id, &ProductArchived { product }).await,
        _ => world.publish(topic, &product_id, &ProductRepublished { product }).await,
    }
}

#[given(regex = r"^the order (\w) of (.+) was placed$")]
#[when(regex = r"^the order (\w) of (.+) is placed$")]
async fn place(world: &mut World, name: String, lines: String) {
    let order = world.order(&name, Some(&lines));
    let key = order.order_id.clone();
    world.publish("mart.order.v1", &key, &OrderPlaced { order: Some(order) }).await;
}

#[given(regex = r"^the order (\w) was (confirmed|cancelled)$")]
#[when(regex = r"^the order (\w) is (confirmed|cancelled|reinstated)$")]
async fn publish_order(world: &mut World, name: String, what: String) {
    let mut order = world.order(&name, None);
    if what == "reinstated" {
        order.reinstate_count += 1;
        world.replace(&name, order.clone());
    }
    let (topic, key, order) = ("mart.order.v1", order.order_id.clone(), Some(order));
    match what.as_str() {
        "confirmed" => world.publish(topic, &key, &OrderConfirmed { order }).await,
        "cancelled" => world.publish(topic, &key, &OrderCancelled { order }).await,
        _ => world.publish(topic, &key, &OrderReinstated { order }).await,
    }
}

#[when(regex = r"^an order of (.+) is cancelled before it is placed$")]
async fn cancel_unknown(world: &mut World, lines: String) {
    world.order("Z", Some(&lines));
    publish_order(world, "Z".to_owned(), "cancelled".to_owned()).await;
    world.mart.settle().await;
    let order = world.order("Z", None);
    let key = order.order_id.clone();
    world.publish("mart.order.v1", &key, &OrderPlaced { order: Some(order) }).await;
}

#[when(regex = r"^(\d+) minutes pass$")]
async fn pass(world: &mut World, minutes: i64) {
    world.mart.settle().await;
    world.mart.pass(time::Duration::minutes(minutes)).await;
}

#[when(regex = r"^an admin receives (-?\d+) (\w+)$")]
async fn receive(world: &mut World, units: i32, name: String) {
    let path = format!("/v1/admin/stock-items/{}/receive", world.product(&name));
    world.mart.admin("POST", &path, Some(json!({ "quantity": units, "reason": "delivery" }))).await;
}

#[when(regex = r#"^an admin corrects the (\w+) by (-?\d+) because of "(.*)"$"#)]
async fn adjust(world: &mut World, name: String, delta: i32, reason: String) {
    let path = format!("/v1/admin/stock-items/{}/adjust", world.product(&name));
    world.mart.admin("POST", &path, Some(json!({ "delta": delta, "reason": reason }))).await;
}

#[when(regex = r"^an admin receives (\d+) (\w+) twice with the same key$")]
async fn receive_twice(world: &mut World, units: i32, name: String) {
    let path = format!("/v1/admin/stock-items/{}/receive", world.product(&name));
    let key = world.mart.own("k1");
    for _ in 0..2 {
        let body = Some(json!({ "quantity": units, "reason": "delivery" }));
        let answer = world.mart.send(Some(("admin", "admin")), "POST", &path, body, &[("idempotency-key", &key)]).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
}

#[given(regex = r"^the low-stock threshold of the (\w+) is (\d+)$")]
#[when(regex = r"^an admin sets the low-stock threshold of the (\w+) to (\d+)$")]
async fn set_threshold(world: &mut World, name: String, threshold: i32) {
    let path = format!("/v1/admin/stock-items/{}/low-stock-threshold", world.product(&name));
    world.mart.admin("PUT", &path, Some(json!({ "lowStockThreshold": threshold }))).await;
    assert_eq!(world.mart.answer().status, 200, "{:?}", world.mart.answer());
}

#[when(regex = r"^an admin republishes the stock$")]
async fn republish(world: &mut World) {
    world.mart.admin("POST", "/v1/admin/stock-items/republish", Some(json!({}))).await;
    assert_eq!(world.mart.answer().body["republishedCount"], 1, "{:?}", world.mart.answer());
}

#[when(regex = r"^an admin lists the low stock$")]
async fn list_low(world: &mut World) {
    world.mart.settle().await;
    world.mart.admin("GET", "/v1/admin/stock-items?low=true", None).await;
}

#[then(regex = r"^there are (\d+) (\w+), (\d+) of them reserved$")]
async fn there_are(world: &mut World, on_hand: i64, name: String, reserved: i64) {
    let item = world.stock(&name).await;
    assert_eq!((item["onHand"].as_i64(), item["reserved"].as_i64()), (Some(on_hand), Some(reserved)), "{item}");
}

#[then(regex = r"^(\d+) (\w+) and (\d+) (\w+) are available to a visitor$")]
async fn available(world: &mut World, one: i64, name: String, other: i64, other_name: String) {
    world.mart.settle().await;
    let path =
        format!("/v1/availability?productIds={}&productIds={}", world.product(&name), world.product(&other_name));
    let body = world.mart.send(None, "GET", &path, None, &[]).await.body;
    let counts = body["availability"].as_array().cloned().unwrap_or_default();
    let counts: Vec<Option<i64>> = counts.iter().map(|each| each["available"].as_i64()).collect();
    assert_eq!(counts, [Some(one), Some(other)], "{body}");
}

#[then(regex = r"^the reservation of (\w) is (reserved|rejected|committed|released|expired|returned)$")]
async fn reservation(world: &mut World, name: String, status: String) {
    world.mart.settle().await;
    let path = format!("/v1/admin/reservations/{}", world.order(&name, None).order_id);
    let reservation = world.mart.admin("GET", &path, None).await["reservation"].clone();
    assert_eq!(reservation["status"], format!("RESERVATION_STATUS_{}", status.to_uppercase()), "{:?}", world.mart);
}

#[then(regex = r"^(\w) has published (.+)$")]
async fn published_of_order(world: &mut World, name: String, kinds: String) {
    let key = world.order(&name, None).order_id;
    assert_eq!(world.kinds("mart.reservation.v1", &key).await, kinds.split(", ").collect::<Vec<_>>());
}

#[then(regex = r"^the stock of the (\w+) has published (.+)$")]
async fn published_of_stock(world: &mut World, name: String, kinds: String) {
    let key = world.product(&name);
    assert_eq!(world.kinds("mart.stock_item.v1", &key).await, kinds.split(", ").collect::<Vec<_>>());
}

#[then(regex = r"^the shortages of (\w) are$")]
async fn shortages(world: &mut World, name: String, step: &Step) {
    let key = world.order(&name, None).order_id;
    let history = world.mart.history().await;
    let rejected = |record: &&Record| record.key == key && record.event_type.ends_with(".StockRejected");
    let rejected = history.iter().rfind(rejected).expect("StockRejected");
    let mut shortages = StockRejected::decode(rejected.payload.as_slice()).expect("one").shortages;
    let mut shortages: Vec<(String, i32, i32)> =
        shortages.drain(..).map(|shortage| (shortage.product_id, shortage.requested, shortage.available)).collect();
    let rows = words::rows(step)[1..].to_vec();
    let number = |text: &str| text.parse().expect("a number");
    let mut expected: Vec<(String, i32, i32)> =
        rows.iter().map(|row| (world.product(&row[0]), number(&row[1]), number(&row[2]))).collect();
    shortages.sort();
    expected.sort();
    assert_eq!(shortages, expected);
}

#[then(regex = r"^the ledger of the (\w+) is$")]
async fn ledger(world: &mut World, name: String, step: &Step) {
    let item = world.stock(&name).await;
    let path = format!("/v1/admin/stock-items/{}/ledger-entries?pageSize=200", world.product(&name));
    let listed = world.mart.admin("GET", &path, None).await;
    let mut entries = listed["ledgerEntries"].as_array().cloned().unwrap_or_default();
    // The list is newest first.
    entries.reverse();
    let row = |entry: &serde_json::Value| {
        let number = |member: &str| entry[member].as_i64().unwrap_or_default().to_string();
        let kind = entry["kind"].as_str().unwrap_or_default().trim_start_matches("LEDGER_KIND_").to_lowercase();
        vec![kind, number("onHandDelta"), number("reservedDelta")]
    };
    let expected = words::rows(step)[1..].to_vec();
    assert_eq!(entries.iter().map(row).collect::<Vec<_>>(), expected);
    let sum = |member: &str| entries.iter().filter_map(|entry| entry[member].as_i64()).sum::<i64>();
    let stock = (item["onHand"].as_i64(), item["reserved"].as_i64());
    assert_eq!(stock, (Some(sum("onHandDelta")), Some(sum("reservedDelta"))), "the ledger sums to the stock");
}

#[then(regex = r"^the list (is empty|has the \w+)$")]
fn listed(world: &mut World, what: String) {
    let expected: Vec<String> = what.strip_prefix("has the ").map(|name| world.product(name)).into_iter().collect();
    let listed = world.mart.answer().body["stockItems"].as_array().cloned().unwrap_or_default();
    let listed: Vec<&str> = listed.iter().filter_map(|item| item["productId"].as_str()).collect();
    assert_eq!(listed, expected);
}
