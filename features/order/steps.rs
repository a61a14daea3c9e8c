//! The steps of order.

#![allow(clippy::needless_pass_by_value, reason = "cucumber passes captures as strings")]

use cucumber::gherkin::Step;
use cucumber::{given, then, when};
use features::words::{self, money, money_json, rows};
use mart_proto::inventory::v1::{Reservation, ReservationExpired, StockRejected, StockReserved};
use mart_proto::payment::v1::{PaymentCaptured, PaymentFailed};
use mart_proto::product::v1::{Product, ProductRepublished, ProductStatus};
use serde_json::{Value, json};

use crate::world::World;

features::steps!(response invalid dead_letters discard again);

impl World {
    /// Publishes a product's state at a version.
    async fn publish_product(&mut self, name: &str, prices: &str, status: ProductStatus, version: i64) {
        let product_id = self.product(name);
        let prices = prices.split(", ").map(money).collect();
        let (name, status) = (name.to_owned(), status.into());
        let product = Product { product_id: product_id.clone(), name, prices, status, ..Product::default() };
        let message = ProductRepublished { product: Some(product) };
        self.publish("mart.product.v1", &product_id, version, &message).await;
        self.mart.settle().await;
    }

    /// Places an order and stores its id under a letter. Without a total, the quoted one is sent.
    async fn place(&mut self, who: &str, name: &str, lines: &str, total: Option<&str>, key: Option<&str>) {
        let (lines, currency) = (self.lines(lines), total.map_or("PKR", |total| &total[total.len() - 3..]).to_owned());
        let quote = json!({ "lines": lines, "currencyCode": currency });
        let quote = self.mart.send(None, "POST", "/v1/orders/quote", Some(quote), &[]).await.body;
        let total = total.map_or_else(|| quote["total"].clone(), money_json);
        let mut body = json!({
            "lines": lines, "total": total,
            "shippingAddress": { "recipient": "A", "lines": ["House 7"], "city": "Lahore", "countryCode": "PK" },
            "contact": { "email": "a@example.com" },
        });
        for (member, value) in self.overrides.as_object().into_iter().flatten() {
            body[member] = value.clone();
        }
        self.placed = body.clone();
        self.post(who, name, body, key).await;
    }

    /// Sends an order and stores its id under a letter.
    async fn post(&mut self, who: &str, name: &str, body: Value, key: Option<&str>) {
        let key = key.map(|key| self.mart.own(key));
        let headers: Vec<(&str, &str)> = key.iter().map(|key| ("idempotency-key", key.as_str())).collect();
        let placed = self.mart.call(Some(("customer", who)), "POST", "/v1/orders", Some(body), &headers).await;
        if let Some(id) = placed["order"]["orderId"].as_str() {
            self.orders.insert(name.to_owned(), id.to_owned());
        }
    }

    fn payment(&mut self) -> String {
        self.payments += 1;
        format!("pay-{}", self.payments)
    }
}

#[given(regex = r"^the (\w+) for (.+)$")]
async fn there_is(world: &mut World, name: String, prices: String) {
    world.versions.insert(name.clone(), 1);
    world.publish_product(&name, &prices, ProductStatus::Active, 1).await;
}

#[given(regex = r"^the (draft|archived) (\w+)$")]
async fn there_is_not(world: &mut World, status: String, name: String) {
    let status = if status == "draft" { ProductStatus::Draft } else { ProductStatus::Archived };
    world.publish_product(&name, "1500.00 PKR", status, 1).await;
}

#[when(regex = r"^the price of the (\w+) changes to (.+)$")]
async fn reprice(world: &mut World, name: String, prices: String) {
    let version = world.versions[&name] + 1;
    world.versions.insert(name.clone(), version);
    world.publish_product(&name, &prices, ProductStatus::Active, version).await;
}

#[when(regex = r"^an older event of the (\w+) with the price (.+) is published$")]
async fn older(world: &mut World, name: String, prices: String) {
    let version = world.versions[&name] - 1;
    world.publish_product(&name, &prices, ProductStatus::Active, version).await;
}

#[when(regex = r"^a visitor requests a quote for (.+) in (\w+)$")]
async fn quote(world: &mut World, lines: String, currency: String) {
    let body = json!({ "lines": world.lines(&lines), "currencyCode": currency });
    world.send("visitor", "POST", "/v1/orders/quote", Some(body)).await;
}

#[given(regex = r"^(\w+) has placed the order (\w) of (.+)$")]
async fn place(world: &mut World, who: String, name: String, lines: String) {
    world.place(&who, &name, &lines, None, None).await;
    assert_eq!(world.mart.answer().status, 201, "{:?}", world.mart.answer().body);
}

#[when(regex = r"^(\w+) tries to order (.+) for (.+)$")]
async fn try_to_place(world: &mut World, who: String, lines: String, total: String) {
    world.place(&who, "X", &lines, Some(&total), None).await;
}

#[when(regex = r"^(\w+) places the order (\w) of (.+) with the key (\w+)$")]
async fn place_with_key(world: &mut World, who: String, name: String, lines: String, key: String) {
    world.place(&who, &name, &lines, None, Some(&key)).await;
}

#[when(regex = r"^(\w+) repeats the order A as B with the key (\w+)$")]
async fn repeat(world: &mut World, who: String, key: String) {
    let body = world.placed.clone();
    world.post(&who, "B", body, Some(&key)).await;
}

#[given(regex = r"^the (\w+) of the next order is (.+)$")]
fn next_order_has(world: &mut World, member: String, value: String) {
    let overrides = match member.as_str() {
        "country" => {
            json!({ "shippingAddress": { "recipient": "A", "lines": ["House 7"], "city": "Lahore", "countryCode": value } })
        }
        "mail" => json!({ "contact": { "email": value } }),
        "phone" => json!({ "contact": { "email": "a@example.com", "phone": value } }),
        _ => json!({ "paymentMethod": value }),
    };
    world.overrides = overrides;
}

#[given(regex = r"^the stock of (\w) was (reserved)$")]
#[when(regex = r"^the stock of (\w) is (reserved|insufficient)$")]
#[when(regex = r"^the reservation of (\w) (expires)$")]
async fn stock(world: &mut World, name: String, what: String) {
    let order_id = world.order(&name).to_owned();
    let reinstate_count =
        world.read(&name).await["reinstateCount"].as_i64().and_then(|count| count.try_into().ok()).unwrap_or(0);
    let reservation = Some(Reservation { order_id: order_id.clone(), reinstate_count, ..Reservation::default() });
    let topic = "mart.reservation.v1";
    match what.as_str() {
        "reserved" => world.publish(topic, &order_id, 1, &StockReserved { reservation }).await,
        "insufficient" => {
            world.publish(topic, &order_id, 1, &StockRejected { reservation, shortages: Vec::new() }).await;
        }
        _ => world.publish(topic, &order_id, 2, &ReservationExpired { reservation }).await,
    }
}

#[given(regex = r"^(\w) was paid$")]
#[when(regex = r"^(\w) is paid$")]
async fn paid(world: &mut World, name: String) {
    let order = world.read(&name).await;
    let text = |member: &str| order["total"][member].as_str().unwrap_or_default().to_owned();
    pay(world, name, format!("{} {}", text("amount"), text("currencyCode"))).await;
}

#[when(regex = r"^(\w) is paid with (.+)$")]
async fn pay(world: &mut World, name: String, amount: String) {
    let (order_id, payment_id) = (world.order(&name).to_owned(), world.payment());
    let amount = Some(money(&amount));
    let message = PaymentCaptured { order_id: order_id.clone(), payment_id, amount, provider: "sandbox".to_owned() };
    world.publish("mart.payment.v1", &order_id, 1, &message).await;
    world.mart.settle().await;
}

#[when(regex = r"^a payment of (\w) fails$")]
async fn failed(world: &mut World, name: String) {
    let (order_id, payment_id) = (world.order(&name).to_owned(), world.payment());
    let message = PaymentFailed { order_id: order_id.clone(), payment_id, reason: "card declined".to_owned() };
    world.publish("mart.payment.v1", &order_id, 1, &message).await;
}

#[when(regex = r"^the previous event is published again$")]
async fn before_again(world: &mut World) {
    world.mart.publish_again(1).await;
    world.mart.settle().await;
}

#[when(regex = r"^(\d+) minutes pass$")]
async fn pass(world: &mut World, minutes: i64) {
    world.mart.settle().await;
    world.mart.pass(time::Duration::minutes(minutes)).await;
}

#[given(regex = r"^the admin has (shipped|delivered) (\w)$")]
async fn has_acted(world: &mut World, what: String, name: String) {
    act(world, "admin".to_owned(), what, name).await;
    assert_eq!(world.mart.answer().status, 200, "{:?}", world.mart.answer());
}

#[when(regex = r"^(?:the )?(\w+) (cancels|delivers|reads|tracks) (\w)$")]
async fn act(world: &mut World, who: String, what: String, name: String) {
    world.mart.settle().await;
    let order = world.order(&name).to_owned();
    let (method, path, body) = match what.as_str() {
        "cancels" => ("POST", "/cancel", None),
        "delivers" | "delivered" => ("POST", "/deliver", None),
        "shipped" => ("POST", "/ship", Some(json!({ "carrier": "TCS", "trackingNumber": "77" }))),
        "tracks" => ("GET", "/timeline", None),
        _ => ("GET", "", None),
    };
    world.send(&who, method, &format!("/v1/orders/{order}{path}"), body).await;
}

#[when(regex = r#"^the admin ships (\w) with "(.*)", number "(.*)"$"#)]
async fn ship(world: &mut World, name: String, carrier: String, number: String) {
    world.mart.settle().await;
    let path = format!("/v1/orders/{}/ship", world.order(&name));
    world.send("admin", "POST", &path, Some(json!({ "carrier": carrier, "trackingNumber": number }))).await;
}

#[when(regex = r"^(?:the )?(\w+) changes the (city|mail) of (\w) to (.+)$")]
async fn change(world: &mut World, who: String, what: String, name: String, value: String) {
    let body = match what.as_str() {
        "city" => {
            json!({ "shippingAddress": { "recipient": "B", "lines": ["House 8"], "city": value, "countryCode": "PK" } })
        }
        _ => json!({ "contact": { "email": value } }),
    };
    let path = format!("/v1/orders/{}/change", world.order(&name));
    world.send(&who, "POST", &path, Some(body)).await;
}

#[when(regex = r"^(?:the )?(\w+) lists orders with ?(.*)$")]
async fn list(world: &mut World, who: String, parameters: String) {
    world.mart.settle().await;
    let mut parameters = parameters;
    for name in ["A", "B", "C"] {
        // The time when an order was placed.
        let mark = format!("<{name}>");
        if parameters.contains(&mark) {
            let at = world.read(name).await["createTime"].as_str().unwrap_or_default().to_owned();
            parameters = parameters.replace(&mark, &at);
        }
    }
    let (mut all, mut token) = (Vec::new(), String::new());
    for _ in 0..20 {
        let path = format!("/v1/orders?{parameters}&pageToken={token}");
        let page = world.send(&who, "GET", &path, None).await;
        let orders = page["orders"].as_array().cloned().unwrap_or_default();
        let size = parameters.split("pageSize=").nth(1).and_then(|size| size.parse().ok()).unwrap_or(50);
        assert!(orders.len() <= size, "more than {size} on a page: {page}");
        all.extend(orders.iter().filter_map(|order| order["orderId"].as_str().map(str::to_owned)));
        page["nextPageToken"].as_str().unwrap_or_default().clone_into(&mut token);
        if token.is_empty() {
            break;
        }
    }
    world.listed = all;
}

#[when(regex = r"^the admin republishes orders$")]
async fn republish(world: &mut World) {
    world.mart.settle().await;
    world.send("admin", "POST", "/v1/admin/orders/republish", Some(json!({}))).await;
}

#[then(regex = r"^the listed orders are (none|\w(?:, \w)*)$")]
fn listed(world: &mut World, names: String) {
    let expected: Vec<&str> = names.split(", ").filter(|name| *name != "none").map(|name| world.order(name)).collect();
    assert_eq!(world.listed, expected, "{:?}", world.mart.answer());
}

#[then(regex = r"^the total is (.+)$")]
fn total_is(world: &mut World, total: String) {
    let body = &world.mart.answer().body;
    let found = if body["order"].is_null() { &body["total"] } else { &body["order"]["total"] };
    assert_eq!(*found, money_json(&total), "{body}");
}

#[then(regex = r"^the lines are$")]
fn lines(world: &mut World, step: &Step) {
    let body = world.mart.answer().body.clone();
    let lines = if body["order"].is_null() { &body["lines"] } else { &body["order"]["lines"] };
    let lines: Vec<Value> = lines.as_array().cloned().unwrap_or_default();
    let expected = rows(step)[1..].to_vec();
    let expected: Vec<Value> = expected
        .iter()
        .map(|row| {
            let quantity: i64 = row[1].parse().expect("a number");
            json!({ "productId": world.product(&row[0]), "name": row[0], "quantity": quantity,
                    "unitPrice": money_json(&row[2]), "sum": money_json(&row[3]) })
        })
        .collect();
    assert_eq!(lines, expected);
}

#[then(regex = r"^the rejected lines are$")]
fn rejected(world: &mut World, step: &Step) {
    let body = world.mart.answer().body.clone();
    let lines = if body["details"].is_null() { &body["rejected"] } else { &body["details"]["lines"] };
    let expected: Vec<Value> = rows(step)
        .iter()
        .map(|row| {
            let reason = format!("LINE_REJECTION_REASON_{}", row[1].to_uppercase().replace(' ', "_"));
            json!({ "productId": world.product(&row[0]), "reason": reason })
        })
        .collect();
    assert_eq!(*lines, Value::Array(expected), "{body}");
}

#[then(regex = r"^the new total is (.+)$")]
fn new_total(world: &mut World, total: String) {
    assert_eq!(world.mart.answer().body["details"]["total"], money_json(&total));
}

#[then(
    regex = r"^(\w) is (placed|awaiting payment|confirmed|shipped|delivered|cancelled)(?: because of (customer|admin|no stock|payment timeout))?$"
)]
async fn is(world: &mut World, name: String, status: String, reason: String) {
    let order = world.read(&name).await;
    let status = format!("ORDER_STATUS_{}", status.to_uppercase().replace(' ', "_"));
    let reason = if reason.is_empty() { "UNSPECIFIED".to_owned() } else { reason.to_uppercase().replace(' ', "_") };
    let found = order["cancelReason"].as_str().unwrap_or("CANCEL_REASON_UNSPECIFIED");
    assert_eq!(
        (&order["status"], found),
        (&json!(status), format!("CANCEL_REASON_{reason}").as_str()),
        "{:?}",
        world.mart
    );
}

#[then(regex = r"^(\w) and (\w) are (the same order|different orders)$")]
fn same_order(world: &mut World, one: String, other: String, equality: String) {
    assert_eq!(world.order(&one) == world.order(&other), equality == "the same order");
}

#[then(regex = r"^(\w) has published (.+)$")]
async fn published(world: &mut World, name: String, kinds: String) {
    let published = words::published(&world.mart.history().await, "mart.order.v1", world.order(&name));
    assert_eq!(published, kinds.split(", ").collect::<Vec<_>>());
}

#[then(regex = r"^the city of the order is (\w+)$")]
fn city_is(world: &mut World, city: String) {
    assert_eq!(
        world.mart.answer().body["order"]["shippingAddress"]["city"],
        city.as_str(),
        "{:?}",
        world.mart.answer()
    );
}

#[then(regex = r"^the timeline is$")]
fn timeline(world: &mut World, step: &Step) {
    let entries = world.mart.answer().body["entries"].as_array().cloned().unwrap_or_default();
    let texts: Vec<&str> = entries.iter().filter_map(|entry| entry["text"].as_str()).collect();
    assert_eq!(texts, rows(step).iter().map(|row| row[0].as_str()).collect::<Vec<_>>());
    for entry in &entries {
        for id in ["eventId", "traceId"] {
            assert_ne!(entry[id].as_str().unwrap_or_default(), "", "{entry}");
        }
    }
}
