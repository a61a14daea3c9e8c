//! Payments through a fake PayFast.

use std::collections::HashMap;

use devstack::providers::FakePayFast;
use devstack::testing::App;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::events::{awaiting_with, count, start_paying, wait_for_status, wait_until};

const KEY: &str = FakePayFast::KEY;

/// Starts payment with a fake PayFast as its only provider, and an order of 1500 rupees that awaits its payment.
async fn payment() -> (App, Uuid, FakePayFast) {
    let payfast = FakePayFast::default();
    let mut settings = payfast.serve().await.expect("served");
    settings.push(("PAYMENT_PROVIDERS".to_owned(), "payfast".to_owned()));
    // During a rotation.
    settings.push(("PAYFAST_SECURED_KEYS".to_owned(), format!("{KEY}, an-older-one")));
    let (app, order) = awaiting_with(settings).await;
    (app, order, payfast)
}

/// Starts an attempt, and returns the fields that the customer's browser submits to PayFast.
async fn start(app: &App, order: Uuid) -> HashMap<String, String> {
    let attempt = start_paying(app, order).await;
    let fields = attempt["checkout"]["fields"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    fields.iter().map(|field| (text(&field["name"]), text(&field["value"]))).collect()
}

/// Sends PayFast's notification about a basket, and returns the status of the response.
async fn notify(app: &App, basket: &str, code: &str, transaction: &str, amount: &str, key: &str) -> u16 {
    let body = FakePayFast::notification(basket, [code, "declined by the bank", transaction, amount, "PKR"], key);
    let url = format!("{}/v1/payment-webhooks/payfast", app.spec.url());
    let request = app.client.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body).send();
    request.await.expect("a response").status().as_u16()
}

#[tokio::test]
async fn a_basket_is_paid_once_and_refunded_manually() {
    let (app, order, payfast) = payment().await;
    let fields = start(&app, order).await;
    assert_eq!(start(&app, order).await, fields, "a double click is one checkout");
    let basket = &fields["BASKET_ID"];
    assert_eq!(payfast.baskets(), std::slice::from_ref(basket), "one token was requested");
    let values = ["TOKEN", "CUSTOMER_EMAIL_ADDRESS", "CUSTOMER_MOBILE_NO", "TXNAMT"].map(|name| fields[name].as_str());
    assert_eq!(values, [&format!("for {basket}"), "ayesha@mart.example", "+923001234567", "1500.00"]);
    assert!(!fields.values().any(|value| value.contains(KEY)), "the key is not sent: {fields:?}");

    assert_eq!(notify(&app, basket, "000", "t1", "1500.00", "another-key").await, 400);
    // A repetition, and replays of the same hash with another transaction and another amount.
    for (transaction, amount) in [("t1", "1500.00"), ("t1", "1500.00"), ("t2", "1500.00"), ("t3", "1.00")] {
        assert_eq!(notify(&app, basket, "000", transaction, amount, KEY).await, 200);
    }
    let payment = wait_for_status(&app, order, "PAID").await;
    assert_eq!((count(&payment, "transactions"), count(&payment, "tasks")), (1, 0), "{payment}");

    let body = json!({ "reason": "broken", "refundId": Uuid::new_v4() });
    let path = format!("/v1/admin/payments/{order}/refund");
    assert_eq!(app.admin(Method::POST, &path, Some(body)).await.status, 200);
    let payment = wait_until(&app, order, "a task", |payment| count(payment, "tasks") == 1).await;
    assert_eq!(payment["status"], "PAYMENT_STATUS_PAID", "nothing is refunded yet: {payment}");
    let task = payment["tasks"][0]["taskId"].as_str().unwrap_or_default();
    let path = format!("/v1/admin/payments/{order}/tasks/{task}/resolve");
    let body = json!({ "resolution": "refunded in the portal", "refunded": true });
    assert_eq!(app.admin(Method::POST, &path, Some(body)).await.status, 200);
    let payment = wait_for_status(&app, order, "REFUNDED").await;
    assert_eq!(count(&payment, "transactions"), 2, "{payment}");
}

#[tokio::test]
async fn a_failure_lets_the_customer_try_again() {
    let (app, order, _) = payment().await;
    let first = start(&app, order).await;
    assert_eq!(notify(&app, &first["BASKET_ID"], "97", "t1", "1500.00", KEY).await, 200);
    let failed = |payment: &Value| payment["attempts"][0]["status"] == "ATTEMPT_STATUS_FAILED";
    wait_until(&app, order, "the attempt has failed", failed).await;
    let second = start(&app, order).await;
    assert_ne!(second["BASKET_ID"], first["BASKET_ID"]);
    assert_eq!(notify(&app, &second["BASKET_ID"], "00", "t2", "1500", KEY).await, 200);
    assert_eq!(count(&wait_for_status(&app, order, "PAID").await, "transactions"), 1);
}

#[tokio::test]
async fn an_amount_that_does_not_match_is_a_task() {
    let (app, order, _) = payment().await;
    let fields = start(&app, order).await;
    assert_eq!(notify(&app, &fields["BASKET_ID"], "000", "t1", "1.00", KEY).await, 200);
    let payment = wait_until(&app, order, "a task", |payment| count(payment, "tasks") == 1).await;
    assert_eq!(count(&payment, "transactions"), 0, "{payment}");
    assert!(payment["tasks"][0].to_string().contains("1.00 PKR"), "{payment}");
}
