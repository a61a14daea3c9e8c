//! The saga on real servers. Every event of another service is published twice.

use devstack::testing::{TestEvent, until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixture::{Shop, captured, failed, rejected, reserved};

async fn publish_twice(shop: &Shop, event: &TestEvent) {
    shop.app.publish(event).await;
    shop.app.publish(event).await;
}

/// Returns the names of an order's events, oldest first.
async fn published(shop: &Shop, id: &str) -> Vec<String> {
    shop.app.flushed().await;
    let events = shop.app.events().await;
    events.iter().filter(|event| event.key == id).map(|event| event.name().to_owned()).collect()
}

async fn timeline(shop: &Shop, id: &str) -> Vec<Value> {
    let answer = shop.app.admin(Method::GET, &format!("/v1/orders/{id}/timeline"), None).await;
    answer.body["entries"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn an_order_is_paid_shipped_and_delivered() {
    let shop = Shop::open(&[]).await;
    let id = shop.place().await;
    publish_twice(&shop, &reserved(&id, 0)).await;
    let order = shop.wait_for_status(&id, "AWAITING_PAYMENT").await;
    assert!(order["paymentDeadline"].as_str().is_some_and(|at| at.ends_with('Z')), "{order}");
    publish_twice(&shop, &failed(&id)).await;
    until("the failure is in the timeline", async || timeline(&shop, &id).await.len() == 3).await;
    publish_twice(&shop, &captured(&id, "3000.00")).await;
    shop.wait_for_status(&id, "CONFIRMED").await;
    let ship = format!("/v1/orders/{id}/ship");
    let shipped = shop.app.admin(Method::POST, &ship, Some(json!({ "carrier": "TCS", "trackingNumber": "77" }))).await;
    assert_eq!(shipped.status, 200, "{}", shipped.body);
    let delivered = shop.app.admin(Method::POST, &format!("/v1/orders/{id}/deliver"), None).await;
    assert_eq!(delivered.body["order"]["status"], "ORDER_STATUS_DELIVERED", "{}", delivered.body);
    let expected = ["OrderPlaced", "OrderAwaitingPayment", "OrderConfirmed", "OrderShipped", "OrderDelivered"];
    assert_eq!(published(&shop, &id).await, expected);
    let entries = timeline(&shop, &id).await;
    assert_eq!(entries.len(), 6);
    assert_eq!(entries[2]["text"], "Your payment failed (card declined). You can try again.");
    assert_eq!(entries[4]["text"], "Your order has shipped with TCS. Tracking number: 77.");
    assert!(
        entries.iter().all(|entry| entry["traceId"].as_str().is_some_and(|trace| trace.len() == 32)),
        "{entries:?}"
    );
}

#[tokio::test]
async fn a_late_payment_reinstates_an_expired_order() {
    let shop = Shop::open(&[("PAYMENT_WINDOW", "500ms"), ("ORDER_EXPIRY_INTERVAL", "50ms")]).await;
    let replica = shop.app.replica().await;
    let id = shop.place().await;
    publish_twice(&shop, &reserved(&id, 0)).await;
    let order = shop.wait_for_status(&id, "CANCELLED").await;
    assert_eq!(order["cancelReason"], "CANCEL_REASON_PAYMENT_TIMEOUT");
    publish_twice(&shop, &captured(&id, "3000.00")).await;
    let order = shop.wait_for_status(&id, "PLACED").await;
    assert_eq!((order["reinstateCount"].as_i64(), &order["payment"]["refundRequested"]), (Some(1), &json!(false)));
    publish_twice(&shop, &reserved(&id, 1)).await;
    shop.wait_for_status(&id, "CONFIRMED").await;
    let expected = ["OrderPlaced", "OrderAwaitingPayment", "OrderCancelled", "OrderReinstated", "OrderConfirmed"];
    assert_eq!(published(&shop, &id).await, expected);
    drop(replica);
}

#[tokio::test]
async fn a_payment_for_a_rejected_order_is_refunded() {
    let shop = Shop::open(&[]).await;
    let id = shop.place().await;
    // The payment arrives too early: its handler retries until the rejection arrives.
    publish_twice(&shop, &captured(&id, "3000.00")).await;
    publish_twice(&shop, &rejected(&id)).await;
    let order = shop.wait_for_status(&id, "CANCELLED").await;
    assert_eq!(order["cancelReason"], "CANCEL_REASON_NO_STOCK");
    until("the refund is requested", async || shop.read(&id).await["payment"]["refundRequested"] == true).await;
    assert_eq!(published(&shop, &id).await, ["OrderPlaced", "OrderCancelled", "RefundRequested"]);
}

#[tokio::test]
async fn a_payment_of_another_amount_is_a_dead_letter() {
    let shop = Shop::open(&[]).await;
    let id = shop.place().await;
    publish_twice(&shop, &reserved(&id, 0)).await;
    shop.wait_for_status(&id, "AWAITING_PAYMENT").await;
    shop.app.publish(&captured(&id, "2999.99")).await;
    until("the event is a dead letter", async || {
        let letters = shop.app.client.get(format!("{}/dead-letters", shop.app.spec.internal_url())).send().await;
        let letters: Value = letters.expect("a response").json().await.expect("JSON");
        letters["deadLetters"][0]["reason"] == "the amount is not the order's total"
    })
    .await;
    assert_eq!(shop.read(&id).await["status"], "ORDER_STATUS_AWAITING_PAYMENT");
}
