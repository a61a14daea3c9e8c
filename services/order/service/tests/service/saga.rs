//! An order's way through the words of others, on real servers; each word is told twice.

use devstack::testing::{TestEvent, until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixture::{Shop, captured, failed, rejected, reserved};

async fn tell(shop: &Shop, told: &TestEvent) {
    shop.app.publish(told).await;
    shop.app.publish(told).await;
}

/// The kinds of the events of an order, in their order.
async fn told(shop: &Shop, id: &str) -> Vec<String> {
    shop.app.flushed().await;
    let events = shop.app.events().await;
    events.iter().filter(|event| event.key == id).map(|event| event.name().to_owned()).collect()
}

async fn texts(shop: &Shop, id: &str) -> Vec<Value> {
    let answer = shop.app.admin(Method::GET, &format!("/v1/orders/{id}/timeline"), None).await;
    answer.body["entries"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn an_order_is_paid_shipped_and_delivered() {
    let shop = Shop::open(&[]).await;
    let id = shop.place().await;
    tell(&shop, &reserved(&id, 0)).await;
    let order = shop.is(&id, "AWAITING_PAYMENT").await;
    assert!(order["paymentDeadline"].as_str().is_some_and(|at| at.ends_with('Z')), "{order}");
    tell(&shop, &failed(&id)).await;
    until("the failure is told", async || texts(&shop, &id).await.len() == 3).await;
    tell(&shop, &captured(&id, "3000.00")).await;
    shop.is(&id, "CONFIRMED").await;
    let ship = format!("/v1/orders/{id}/ship");
    let shipped = shop.app.admin(Method::POST, &ship, Some(json!({ "carrier": "TCS", "trackingNumber": "77" }))).await;
    assert_eq!(shipped.status, 200, "{}", shipped.body);
    let delivered = shop.app.admin(Method::POST, &format!("/v1/orders/{id}/deliver"), None).await;
    assert_eq!(delivered.body["order"]["status"], "ORDER_STATUS_DELIVERED", "{}", delivered.body);
    let expected = ["OrderPlaced", "OrderAwaitingPayment", "OrderConfirmed", "OrderShipped", "OrderDelivered"];
    assert_eq!(told(&shop, &id).await, expected);
    let entries = texts(&shop, &id).await;
    assert_eq!(entries.len(), 6);
    assert_eq!(entries[2]["text"], "Your payment failed (card declined). You may try again.");
    assert_eq!(entries[4]["text"], "Your order is on its way with TCS, number 77.");
    assert!(
        entries.iter().all(|entry| entry["traceId"].as_str().is_some_and(|trace| trace.len() == 32)),
        "{entries:?}"
    );
}

#[tokio::test]
async fn an_order_that_nobody_pays_ends_once_and_late_money_brings_it_back() {
    let shop = Shop::open(&[("PAYMENT_WINDOW", "500ms"), ("ORDER_EXPIRY_INTERVAL", "50ms")]).await;
    let replica = shop.app.replica().await;
    let id = shop.place().await;
    tell(&shop, &reserved(&id, 0)).await;
    let order = shop.is(&id, "CANCELLED").await;
    assert_eq!(order["cancelReason"], "CANCEL_REASON_PAYMENT_TIMEOUT");
    tell(&shop, &captured(&id, "3000.00")).await;
    let order = shop.is(&id, "PLACED").await;
    assert_eq!((order["reinstateCount"].as_i64(), &order["payment"]["refundRequested"]), (Some(1), &json!(false)));
    tell(&shop, &reserved(&id, 1)).await;
    shop.is(&id, "CONFIRMED").await;
    let expected = ["OrderPlaced", "OrderAwaitingPayment", "OrderCancelled", "OrderReinstated", "OrderConfirmed"];
    assert_eq!(told(&shop, &id).await, expected);
    drop(replica);
}

#[tokio::test]
async fn money_for_an_order_that_lacks_stock_goes_back() {
    let shop = Shop::open(&[]).await;
    let id = shop.place().await;
    // Early: it waits for what it follows.
    tell(&shop, &captured(&id, "3000.00")).await;
    tell(&shop, &rejected(&id)).await;
    let order = shop.is(&id, "CANCELLED").await;
    assert_eq!(order["cancelReason"], "CANCEL_REASON_NO_STOCK");
    until("the money is asked to go back", async || shop.read(&id).await["payment"]["refundRequested"] == true).await;
    assert_eq!(told(&shop, &id).await, ["OrderPlaced", "OrderCancelled", "RefundRequested"]);
}

#[tokio::test]
async fn another_sum_than_the_total_pays_nothing_and_is_a_dead_letter() {
    let shop = Shop::open(&[]).await;
    let id = shop.place().await;
    tell(&shop, &reserved(&id, 0)).await;
    shop.is(&id, "AWAITING_PAYMENT").await;
    shop.app.publish(&captured(&id, "2999.99")).await;
    until("it is among the dead", async || {
        let letters = shop.app.client.get(format!("{}/dead-letters", shop.app.spec.internal_url())).send().await;
        let letters: Value = letters.expect("answered").json().await.expect("JSON");
        letters["deadLetters"][0]["reason"] == "the amount is not the order's total"
    })
    .await;
    assert_eq!(shop.read(&id).await["status"], "ORDER_STATUS_AWAITING_PAYMENT");
}
