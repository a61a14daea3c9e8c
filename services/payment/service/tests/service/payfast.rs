//! Payment with PayFast, whose place a small server takes: it gives tokens, and the tests speak as it does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Form, Json, Router};
use devstack::testing::App;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::events::{awaiting_with, becomes, comes_to, count, start_paying};

const MERCHANT: &str = "102";
const KEY: &str = "a-key-of-a-test";

type Baskets = Arc<Mutex<Vec<String>>>;

/// Gives a token to who shows our key.
async fn token(
    State(baskets): State<Baskets>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let of = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let known = of("MERCHANT_ID") == MERCHANT && of("SECURED_KEY") == KEY && headers.contains_key("user-agent");
    if !known || of("TXNAMT") != "1500.00" || of("CURRENCY_CODE") != "PKR" {
        return (StatusCode::BAD_REQUEST, Json(json!({ "errorDescription": "no" })));
    }
    baskets.lock().expect("not poisoned").push(of("BASKET_ID").to_owned());
    (StatusCode::OK, Json(json!({ "ACCESS_TOKEN": format!("for {}", of("BASKET_ID")) })))
}

/// Payment with PayFast alone, with an order of 1500 rupees that awaits payment; the baskets that tokens were given for.
async fn payment() -> (App, Uuid, Baskets) {
    let baskets = Baskets::default();
    let routes = Router::new().route("/Ecommerce/api/Transaction/GetAccessToken", post(token));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let served = routes.with_state(baskets.clone());
    tokio::spawn(async move { axum::serve(listener, served).await });
    let keys = format!("{KEY}, an-older-one");
    let more = [
        ("PAYMENT_PROVIDERS", "payfast"),
        ("PAYFAST_URL", &*url),
        ("PAYFAST_MERCHANT_ID", MERCHANT),
        ("PAYFAST_SECURED_KEYS", &keys),
        ("PAYFAST_CALLBACK_URL", "http://api.shop.example/v1/payment-webhooks/payfast"),
        ("SHOP_URL", "http://shop.example"),
    ];
    let (app, order) = awaiting_with(&more).await;
    (app, order, baskets)
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
    let digest = Sha256::digest(format!("{basket}|{key}|{MERCHANT}|{code}"));
    let hash = digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let form = [
        ("err_code", code),
        ("err_msg", "as the bank says"),
        ("basket_id", basket),
        ("transaction_id", transaction),
        ("validation_hash", &hash),
        ("transaction_amount", amount),
        ("transaction_currency", "PKR"),
    ];
    let url = format!("{}/v1/payment-webhooks/payfast", app.setting.url());
    app.client.post(url).form(&form).send().await.expect("answered").status().as_u16()
}

#[tokio::test]
async fn a_basket_is_paid_once_and_its_money_goes_back_by_hand() {
    let (app, order, baskets) = payment().await;
    let fields = start(&app, order).await;
    assert_eq!(start(&app, order).await, fields, "a double click is one checkout");
    let basket = &fields["BASKET_ID"];
    assert_eq!(*baskets.lock().expect("not poisoned"), std::slice::from_ref(basket), "one token was asked for");
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
