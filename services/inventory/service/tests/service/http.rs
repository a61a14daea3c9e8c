//! The operations over HTTP.

use devstack::testing::{Answer, App};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::PROGRAM;
use crate::events::{TOPICS, created, wait_for_stock_item};

fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{}", answer.body);
}

async fn with_product() -> (App, Uuid) {
    let app = App::start_consumer("inventory", PROGRAM, &TOPICS).await;
    let mug = Uuid::now_v7();
    app.publish(&created(mug)).await;
    wait_for_stock_item(&app, mug).await;
    (app, mug)
}

#[tokio::test]
async fn stock_is_received_adjusted_and_publicly_available() {
    let (app, mug) = with_product().await;
    let path = format!("/v1/admin/stock-items/{mug}");
    let receive = async |quantity: i32| {
        app.admin(Method::POST, &format!("{path}/receive"), Some(json!({ "quantity": quantity }))).await
    };
    let adjust = async |body: Value| app.admin(Method::POST, &format!("{path}/adjust"), Some(body)).await;
    let received = receive(10).await;
    assert_eq!(received.status, 201, "{}", received.body);
    assert_eq!(received.body["stockItem"]["available"], 10);
    let location = received.headers["location"].to_str().expect("text").to_owned();
    let entry = app.admin(Method::GET, &location, None).await;
    assert_eq!((entry.status, &entry.body["ledgerEntry"]["onHandDelta"]), (200, &json!(10)), "{}", entry.body);
    assert_problem(&adjust(json!({ "delta": -11, "reason": "breakage" })).await, 409, "INSUFFICIENT_STOCK");
    assert_problem(&adjust(json!({ "delta": 1, "reason": " " })).await, 400, "INVALID_REQUEST");
    assert_problem(&adjust(json!({ "delta": 0, "reason": "count" })).await, 400, "INVALID_REQUEST");
    assert_eq!(adjust(json!({ "delta": -3, "reason": "breakage" })).await.body["stockItem"]["onHand"], 7);
    for _ in 0..999 {
        if receive(1_000_000).await.status != 201 {
            break;
        }
    }
    assert_problem(&receive(1_000_000).await, 409, "STOCK_TOO_LARGE");

    let unknown = Uuid::now_v7();
    let availability = format!("/v1/availability?productIds={unknown}&productIds={mug}");
    let answer = app.send(Method::GET, &availability, None, &[]).await;
    let expected = json!([
        { "productId": unknown.to_string(), "available": 0 },
        { "productId": mug.to_string(), "available": 999_000_007 },
    ]);
    assert_eq!((answer.status, &answer.body["availability"]), (200, &expected), "{}", answer.body);
    let duplicate =
        app.send(Method::GET, &format!("/v1/availability?productIds={mug}&productIds={mug}"), None, &[]).await;
    assert_problem(&duplicate, 400, "INVALID_REQUEST");
    assert_problem(&app.send(Method::GET, "/v1/availability", None, &[]).await, 400, "INVALID_REQUEST");
}

#[tokio::test]
async fn a_repeated_key_books_once_and_rejects_another_request() {
    let (app, mug) = with_product().await;
    let path = format!("/v1/admin/stock-items/{mug}/receive");
    let receive = async |quantity: i32| {
        let (body, key) = (json!({ "quantity": quantity }), [("idempotency-key", "delivery-7")]);
        app.call_with(Some("admin"), Method::POST, &path, Some(body), &key).await
    };
    let (first, again) = (receive(3).await, receive(3).await);
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body["ledgerEntry"], again.body["ledgerEntry"]);
    assert_eq!(again.body["stockItem"]["onHand"], 3);
    assert_problem(&receive(4).await, 422, "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn lists_are_paged_filtered_and_for_admins_only() {
    let (app, mug) = with_product().await;
    let threshold = format!("/v1/admin/stock-items/{mug}/low-stock-threshold");
    for path in ["/v1/admin/stock-items", "/v1/admin/stock-items?low=true"] {
        let answer = app.admin(Method::GET, path, None).await;
        assert_eq!(answer.body["stockItems"].as_array().map(Vec::len), Some(usize::from(!path.contains("low"))));
    }
    let changed = app.admin(Method::PUT, &threshold, Some(json!({ "lowStockThreshold": 3 }))).await;
    assert_eq!((changed.status, &changed.body["stockItem"]["lowStockThreshold"]), (200, &json!(3)), "{}", changed.body);
    let low = app.admin(Method::GET, "/v1/admin/stock-items?low=true", None).await;
    assert_eq!(low.body["stockItems"][0]["productId"], mug.to_string());
    for quantity in 1..=3 {
        let path = format!("/v1/admin/stock-items/{mug}/receive");
        app.admin(Method::POST, &path, Some(json!({ "quantity": quantity }))).await;
    }
    let ledger = format!("/v1/admin/stock-items/{mug}/ledger-entries?pageSize=2");
    let first = app.admin(Method::GET, &ledger, None).await;
    let token = first.body["nextPageToken"].as_str().expect("a token").to_owned();
    let second = app.admin(Method::GET, &format!("{ledger}&pageToken={token}"), None).await;
    let deltas = |answer: &Answer| -> Vec<i64> {
        let entries = answer.body["ledgerEntries"].as_array().expect("a list");
        entries.iter().filter_map(|entry| entry["onHandDelta"].as_i64()).collect()
    };
    assert_eq!((deltas(&first), deltas(&second)), (vec![3, 2], vec![1]));
    let foreign = app.admin(Method::GET, &format!("/v1/admin/stock-items?pageToken={token}"), None).await;
    assert_problem(&foreign, 400, "INVALID_PAGE_TOKEN");
    let unknown = Uuid::now_v7();
    for (path, code) in [
        (format!("/v1/admin/stock-items/{unknown}"), "STOCK_ITEM_NOT_FOUND"),
        (format!("/v1/admin/ledger-entries/{unknown}"), "LEDGER_ENTRY_NOT_FOUND"),
        (format!("/v1/admin/reservations/{unknown}"), "RESERVATION_NOT_FOUND"),
    ] {
        assert_problem(&app.admin(Method::GET, &path, None).await, 404, code);
        assert_eq!(app.call(Some("customer"), Method::GET, &path, None).await.status, 403, "{path}");
        assert_eq!(app.call(None, Method::GET, &path, None).await.status, 401, "{path}");
    }
}
