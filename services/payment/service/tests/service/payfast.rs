//! Payment with PayFast, whose place a small server takes.

use std::collections::HashMap;

use devstack::providers::FakePayFast;
use devstack::testing::App;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::events::{awaiting_with, becomes, comes_to, count, start_paying};

const KEY: &str = FakePayFast::KEY;

/// Payment with a PayFast of its own alone, with an order of 1500 rupees that awaits payment.
async fn payment() -> (App, Uuid, FakePayFast) {
    let payfast = FakePayFast::default();
    let mut more = payfast.serve().await.expect("served");
    more.push(("PAYMENT_PROVIDERS".to_owned(), "payfast".to_owned()));
    // While it is rotated.
    more.push(("PAYFAST_SECURED_KEYS".to_owned(), format!("{KEY}, an-older-one")));
    let (app, order) = awaiting_with(more).await;
    (app, order, payfast)
}

/// What the customer's browser sends to PayFast.
async fn start(app: &App, order: Uuid) -> HashMap<String, String> {
    let attempt = start_paying(app, order).await;
    let fields = attempt["checkout"]["fields"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    fields.iter().map(|field| (text(&field["name"]), text(&field["value"]))).collect()
}

/// PayFast tells how a basket went; the status of payment's answer.
async fn tell(app: &App, basket: &str, code: &str, transaction: &str, amount: &str, key: &str) -> u16 {
    let body = FakePayFast::notification(basket, [code, "as the bank says", transaction, amount, "PKR"], key);
    let url = format!("{}/v1/payment-webhooks/payfast", app.spec.url());
    let sent = app.client.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body).send();
    sent.await.expect("answered").status().as_u16()
}

#[tokio::test]
async fn a_basket_is_paid_once_and_its_money_goes_back_by_hand() {
    let (app, order, payfast) = payment().await;
    let fields = start(&app, order).await;
    assert_eq!(start(&app, order).await, fields, "a double click is one checkout");
    let basket = &fields["BASKET_ID"];
    assert_eq!(payfast.baskets(), std::slice::from_ref(basket), "one token was asked for");
    let mine = ["TOKEN", "CUSTOMER_EMAIL_ADDRESS", "CUSTOMER_MOBILE_NO", "TXNAMT"].map(|name| fields[name].as_str());
    assert_eq!(mine, [&format!("for {basket}"), "ayesha@mart.example", "+923001234567", "1500.00"]);
    assert!(!fields.values().any(|value| value.contains(KEY)), "the key stays here: {fields:?}");

    assert_eq!(tell(&app, basket, "000", "t1", "1500.00", "a-strangers").await, 400);
    // Twice, and replayed by who has seen the hash, with another transaction and another amount.
    for (transaction, amount) in [("t1", "1500.00"), ("t1", "1500.00"), ("t2", "1500.00"), ("t3", "1.00")] {
        assert_eq!(tell(&app, basket, "000", transaction, amount, KEY).await, 200);
    }
    let told = becomes(&app, order, "PAID").await;
    assert_eq!((count(&told, "transactions"), count(&told, "tasks")), (1, 0), "{told}");

    let body = json!({ "reason": "broken", "refundId": Uuid::new_v4() });
    let path = format!("/v1/admin/payments/{order}/refund");
    assert_eq!(app.admin(Method::POST, &path, Some(body)).await.status, 200);
    let told = comes_to(&app, order, "a task for a person", |told| count(told, "tasks") == 1).await;
    assert_eq!(told["status"], "PAYMENT_STATUS_PAID", "nothing went back yet: {told}");
    let task = told["tasks"][0]["taskId"].as_str().unwrap_or_default();
    let path = format!("/v1/admin/payments/{order}/tasks/{task}/resolve");
    let body = json!({ "resolution": "sent back in the portal", "refunded": true });
    assert_eq!(app.admin(Method::POST, &path, Some(body)).await.status, 200);
    let told = becomes(&app, order, "REFUNDED").await;
    assert_eq!(count(&told, "transactions"), 2, "{told}");
}

#[tokio::test]
async fn a_failure_lets_the_customer_try_again() {
    let (app, order, _) = payment().await;
    let first = start(&app, order).await;
    assert_eq!(tell(&app, &first["BASKET_ID"], "97", "t1", "1500.00", KEY).await, 200);
    let failed = |told: &Value| told["attempts"][0]["status"] == "ATTEMPT_STATUS_FAILED";
    comes_to(&app, order, "the attempt has failed", failed).await;
    let second = start(&app, order).await;
    assert_ne!(second["BASKET_ID"], first["BASKET_ID"]);
    assert_eq!(tell(&app, &second["BASKET_ID"], "00", "t2", "1500", KEY).await, 200);
    assert_eq!(count(&becomes(&app, order, "PAID").await, "transactions"), 1);
}

#[tokio::test]
async fn an_amount_that_does_not_fit_is_a_persons_to_decide() {
    let (app, order, _) = payment().await;
    let fields = start(&app, order).await;
    assert_eq!(tell(&app, &fields["BASKET_ID"], "000", "t1", "1.00", KEY).await, 200);
    let told = comes_to(&app, order, "a task for a person", |told| count(told, "tasks") == 1).await;
    assert_eq!(count(&told, "transactions"), 0, "{told}");
    assert!(told["tasks"][0].to_string().contains("1.00 PKR"), "{told}");
}
