//! The operations over HTTP.

use std::slice;

use devstack::testing::{Answer, until};
use mart_chassis::sql;
use mart_proto::product::v1::ProductStatus;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixture::{Shop, product};

fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{}", answer.body);
}

impl Shop {
    async fn as_customer(&self, name: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        let token = self.app.spec.keys.token("customer", name).expect("signed");
        self.app.send(method, path, body, &[("authorization", &format!("Bearer {token}"))]).await
    }
}

#[tokio::test]
async fn an_order_needs_the_current_total() {
    let shop = Shop::open(&[]).await;
    let quote = shop.quote(2).await;
    assert_eq!((quote.status, &quote.body["total"]["amount"]), (200, &json!("3000.00")), "{}", quote.body);
    let place = |body| shop.app.call(Some("customer"), Method::POST, "/v1/orders", Some(body));
    let wrong = place(shop.order(2, "2999.00")).await;
    assert_problem(&wrong, 409, "TOTAL_CHANGED");
    assert_eq!(wrong.body["details"]["total"], json!({ "amount": "3000.00", "currencyCode": "PKR" }));
    let mut unknown = shop.order(2, "3000.00");
    let unknown_product = Uuid::now_v7();
    let line = json!({ "productId": unknown_product.to_string(), "quantity": 1 });
    unknown["lines"].as_array_mut().expect("a list").push(line);
    let rejected = place(unknown).await;
    assert_problem(&rejected, 409, "LINES_REJECTED");
    let expected = json!([{ "productId": unknown_product.to_string(), "reason": "LINE_REJECTION_REASON_NOT_ON_SALE" }]);
    assert_eq!(rejected.body["details"]["lines"], expected);
    for (member, value) in [
        ("lines", json!([])),
        ("lines", json!([{ "productId": shop.mug.to_string(), "quantity": 0 }])),
        ("total", json!({ "amount": "3000", "currencyCode": "PKR" })),
        ("contact", json!({ "email": "not-an-email" })),
        ("shippingAddress", json!({ "recipient": " ", "lines": ["x"], "city": "y", "countryCode": "PK" })),
    ] {
        let mut body = shop.order(2, "3000.00");
        body[member] = value;
        assert_problem(&place(body).await, 400, "INVALID_REQUEST");
    }
    let placed = place(shop.order(2, "3000.00")).await;
    assert_eq!(placed.status, 201, "{}", placed.body);
    let order = &placed.body["order"];
    assert_eq!(placed.headers["location"], format!("/v1/orders/{}", order["orderId"].as_str().expect("an id")));
    assert_eq!(order["status"], "ORDER_STATUS_PLACED");
    assert_eq!(order["lines"][0]["name"], "Mug");
}

#[tokio::test]
async fn a_repeated_key_places_one_order_despite_a_new_price() {
    let shop = Shop::open(&[]).await;
    let place = async |quantity: i32, total: &str| {
        let (body, key) = (shop.order(quantity, total), [("idempotency-key", "basket-7")]);
        shop.app.call_with(Some("customer"), Method::POST, "/v1/orders", Some(body), &key).await
    };
    let first = place(2, "3000.00").await;
    shop.app.publish(&product(shop.mug, 3, "1600.00", ProductStatus::Active)).await;
    until("the price is known", async || shop.quote(1).await.body["total"]["amount"] == "1600.00").await;
    let again = place(2, "3000.00").await;
    assert_eq!((first.status, again.status), (201, 201), "{}", again.body);
    assert_eq!(first.body["order"]["orderId"], again.body["order"]["orderId"]);
    assert_problem(&place(1, "1600.00").await, 422, "IDEMPOTENCY_KEY_REUSED");
    shop.app.publish(&product(shop.mug, 4, "1600.00", ProductStatus::Archived)).await;
    until("it is off sale", async || {
        shop.quote(1).await.body["rejected"][0]["reason"] == "LINE_REJECTION_REASON_NOT_ON_SALE"
    })
    .await;
    // A delayed event of an earlier version has no effect.
    shop.app.publish(&product(shop.mug, 3, "1600.00", ProductStatus::Active)).await;
    assert_eq!(place(2, "3000.00").await.status, 201, "the first order is returned");
    assert_eq!(shop.quote(1).await.body["rejected"][0]["reason"], "LINE_REJECTION_REASON_NOT_ON_SALE");
}

#[tokio::test]
async fn customers_read_their_own_orders_and_admins_read_all() {
    let shop = Shop::open(&[]).await;
    let place = async |name: &str| {
        let answer = shop.as_customer(name, Method::POST, "/v1/orders", Some(shop.order(2, "3000.00"))).await;
        answer.body["order"]["orderId"].as_str().expect("an id").to_owned()
    };
    let (anas, bilals) = (place("ana").await, place("bilal").await);
    let path = format!("/v1/orders/{anas}");
    for (suffix, method) in
        [("", Method::GET), ("/timeline", Method::GET), ("/cancel", Method::POST), ("/change", Method::POST)]
    {
        let theirs = shop.as_customer("bilal", method.clone(), &format!("{path}{suffix}"), None).await;
        assert_problem(&theirs, 404, "ORDER_NOT_FOUND");
        let none = shop.as_customer("bilal", method, &format!("/v1/orders/{}{suffix}", Uuid::now_v7()), None).await;
        assert_problem(&none, 404, "ORDER_NOT_FOUND");
        assert_eq!(theirs.body["detail"], none.body["detail"], "the response does not reveal that the order exists");
    }
    let ids = |answer: &Answer| -> Vec<String> {
        let orders = answer.body["orders"].as_array().expect("a list");
        orders.iter().filter_map(|order| order["orderId"].as_str().map(str::to_owned)).collect()
    };
    let list = async |name: &str, query: &str| {
        ids(&shop.as_customer(name, Method::GET, &format!("/v1/orders{query}"), None).await)
    };
    assert_eq!(list("ana", "").await, slice::from_ref(&anas));
    assert_eq!(list("ana", "?customerId=bilal").await, Vec::<String>::new());
    let all = async |query: &str| ids(&shop.app.admin(Method::GET, &format!("/v1/orders{query}"), None).await);
    assert_eq!(all("").await, [bilals.clone(), anas.clone()]);
    assert_eq!(all("?customerId=ana").await, slice::from_ref(&anas));
    let second = shop.read(&bilals).await["createTime"].as_str().expect("a time").to_owned();
    assert_eq!(all(&format!("?placedFrom={second}")).await, slice::from_ref(&bilals), "the lower bound is inclusive");
    assert_eq!(all(&format!("?placedBefore={second}")).await, slice::from_ref(&anas), "the upper bound is exclusive");
    let cancelled = shop.as_customer("ana", Method::POST, &format!("{path}/cancel"), None).await;
    assert_eq!(cancelled.body["order"]["cancelReason"], "CANCEL_REASON_CUSTOMER", "{}", cancelled.body);
    assert_eq!(all("?status=ORDER_STATUS_CANCELLED").await, [anas]);
    let first = shop.app.admin(Method::GET, "/v1/orders?pageSize=1", None).await;
    let token = first.body["nextPageToken"].as_str().expect("a token").to_owned();
    assert_eq!(all(&format!("?pageSize=1&pageToken={token}")).await.len(), 1);
    let foreign = shop.as_customer("ana", Method::GET, &format!("/v1/orders?pageToken={token}"), None).await;
    assert_problem(&foreign, 400, "INVALID_PAGE_TOKEN");
}

#[tokio::test]
async fn a_forbidden_transition_changes_nothing() {
    let shop = Shop::open(&[]).await;
    let id = shop.place().await;
    let path = format!("/v1/orders/{id}");
    let before = shop.read(&id).await;
    let shipment = json!({ "carrier": "TCS", "trackingNumber": "77" });
    let forbidden = shop.app.admin(Method::POST, &format!("{path}/ship"), Some(shipment.clone())).await;
    assert_problem(&forbidden, 409, "INVALID_ORDER_STATUS");
    assert_eq!(forbidden.body["details"], json!({ "status": "ORDER_STATUS_PLACED" }));
    assert_problem(&shop.app.admin(Method::POST, &format!("{path}/deliver"), None).await, 409, "INVALID_ORDER_STATUS");
    assert_eq!(shop.read(&id).await, before);
    let contact = json!({ "contact": { "email": "new@example.com" } });
    let stale = shop
        .app
        .call_with(
            Some("admin"),
            Method::POST,
            &format!("{path}/change"),
            Some(contact.clone()),
            &[("if-match", "\"9\"")],
        )
        .await;
    assert_problem(&stale, 412, "ETAG_MISMATCH");
    let changed = shop.app.admin(Method::POST, &format!("{path}/change"), Some(contact.clone())).await;
    assert_eq!((changed.status, &changed.body["order"]["contact"]["email"]), (200, &json!("new@example.com")));
    assert_eq!(changed.body["order"]["shippingAddress"], before["shippingAddress"]);
    let again = shop.app.admin(Method::POST, &format!("{path}/change"), Some(contact)).await;
    assert_eq!(again.body["order"]["etag"], changed.body["order"]["etag"], "an equal contact is no change");
    for _ in 0..2 {
        let cancelled = shop.app.admin(Method::POST, &format!("{path}/cancel"), None).await;
        assert_eq!((cancelled.status, &cancelled.body["order"]["etag"]), (200, &json!("3")), "{}", cancelled.body);
    }
    assert_problem(
        &shop.app.admin(Method::POST, &format!("{path}/ship"), Some(shipment)).await,
        409,
        "INVALID_ORDER_STATUS",
    );
    let republished = shop.app.admin(Method::POST, "/v1/admin/orders/republish", None).await;
    assert_eq!((republished.status, &republished.body["republishedCount"]), (200, &json!(1)), "{}", republished.body);
}

#[tokio::test]
async fn an_undecodable_order_is_omitted_from_lists() {
    let shop = Shop::open(&[]).await;
    let (first, broken, last) = (shop.place().await, shop.place().await, shop.place().await);
    let corrupt = sql!("update orders set currency = 'nothing' where order_id = $order_id::uuid", order_id = &broken);
    let mut database = shop.app.database().await;
    assert_eq!(corrupt.execute(&mut database).await.expect("corrupted").rows_affected(), 1);
    let listed = shop.app.admin(Method::GET, "/v1/orders", None).await;
    let ids = |answer: &Answer| -> Vec<String> {
        let orders = answer.body["orders"].as_array().expect("a list");
        orders.iter().filter_map(|order| order["orderId"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(ids(&listed), [last.clone(), first.clone()], "{}", listed.body);
    // The next order fills the page, so that an undecodable row never ends the list early.
    let page = shop.app.admin(Method::GET, "/v1/orders?pageSize=1", None).await;
    assert_eq!(ids(&page), [last]);
    let token = page.body["nextPageToken"].as_str().expect("a token");
    let rest = shop.app.admin(Method::GET, &format!("/v1/orders?pageSize=1&pageToken={token}"), None).await;
    assert_eq!(ids(&rest), [first]);
    let read = shop.app.admin(Method::GET, &format!("/v1/orders/{broken}"), None).await;
    assert_problem(&read, 500, "INTERNAL");
}

#[tokio::test]
async fn a_duplicate_member_is_rejected_with_its_path() {
    let shop = Shop::open(&[]).await;
    let mug = shop.mug;
    let quote = async |body: String| {
        let sent = devstack::http::client().post(format!("{}/v1/orders/quote", shop.app.spec.url())).body(body);
        let answer = sent.header("content-type", "application/json").send().await.expect("an answer");
        (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
    };
    let good = format!(r#"{{"lines":[{{"productId":"{mug}","quantity":1}}],"currencyCode":"PKR"}}"#);
    assert_eq!(quote(good.clone()).await.0, 200);
    for (duplicate, path) in [
        (good.replace(r#""quantity":1"#, r#""quantity":1,"quantity":1"#), "lines[0].quantity"),
        (good.replace(r#""quantity":1"#, r#""quantity":1,"product_id":"x""#), "lines[0].product_id"),
        (good.replace(r#""PKR""#, r#""PKR","currency_code":"USD""#), "currency_code"),
    ] {
        let (status, problem) = quote(duplicate.clone()).await;
        assert_eq!((status, &problem["violations"][0]["field"]), (400, &json!(path)), "{duplicate}: {problem}");
    }
}
