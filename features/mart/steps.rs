//! The steps of the scenarios between the services.

#![allow(clippy::needless_pass_by_value, reason = "cucumber passes captures as strings")]

use cucumber::{given, then, when};
use features::words::{self, money, money_json};
use mart_proto::Wire;
use mart_proto::payment::v1::{PaymentCaptured, PaymentFailed, PaymentRefunded};
use serde_json::{Value, json};

use crate::world::World;

features::steps!(response dead_letters discard again settle);

impl World {
    /// Parses lines such as `2 mugs, 1 teapot`.
    fn lines(&self, text: &str) -> Value {
        let line = |(quantity, name): (i32, &str)| json!({ "productId": self.id(name), "quantity": quantity });
        words::counted(text).into_iter().map(line).collect()
    }

    /// Returns the id of a product by its name in singular or plural.
    fn id(&self, name: &str) -> String {
        self.products.get(words::one(name)).cloned().unwrap_or_else(|| panic!("unknown product: {name:?}"))
    }

    async fn place(&mut self, lines: &str, total: Option<&str>) {
        let lines = self.lines(lines);
        let quote = json!({ "lines": lines, "currencyCode": "PKR" });
        let quote = self.mart.send(None, "POST", "/v1/orders/quote", Some(quote), &[]).await;
        let total = total.map_or_else(|| quote.body["total"].clone(), money_json);
        let body = json!({
            "lines": lines, "total": total,
            "shippingAddress": { "recipient": "A", "lines": ["House 7"], "city": "Lahore", "countryCode": "PK" },
            "contact": { "email": "a@example.com" },
        });
        let placed = self.customer("POST", "/v1/orders", Some(body)).await;
        if let Some(id) = placed["order"]["orderId"].as_str() {
            id.clone_into(&mut self.order);
        }
    }

    /// Publishes an event of payment about the order.
    async fn publish<M: Wire>(&mut self, message: &M) {
        let record = features::record("mart.payment.v1", &self.order, 1, message);
        self.mart.publish(&record).await;
    }

    fn payment(&mut self, number: Option<u32>) -> String {
        self.payments = number.unwrap_or(self.payments + 1);
        format!("pay-{}", self.payments)
    }

    async fn capture(&mut self, amount: Option<&str>, number: Option<u32>) {
        let total = self.read().await["total"].clone();
        let text = |member: &str| total[member].as_str().unwrap_or_default().to_owned();
        let amount = amount.map_or_else(|| format!("{} {}", text("amount"), text("currencyCode")), str::to_owned);
        let (order_id, payment_id) = (self.order.clone(), self.payment(number));
        let amount = Some(money(&amount));
        self.publish(&PaymentCaptured { order_id, payment_id, amount, provider: "sandbox".to_owned() }).await;
    }

    /// Returns the names of the order's events, oldest first.
    async fn kinds(&mut self, topic: &str) -> Vec<String> {
        words::published(&self.mart.history().await, topic, &self.order)
    }

    async fn stock(&mut self, name: &str) -> Value {
        let path = format!("/v1/admin/stock-items/{}", self.id(name));
        self.mart.send(Some(("admin", "admin")), "GET", &path, None, &[]).await.body["stockItem"].clone()
    }
}

#[given(regex = r"^(\d+) (\w+) in stock for (.+) each$")]
async fn in_stock(world: &mut World, units: i32, name: String, price: String) {
    let name = words::one(&name).to_owned();
    let body = json!({
        "name": name, "slug": world.mart.own(&name), "status": "PRODUCT_STATUS_ACTIVE", "prices": [money_json(&price)],
    });
    let created = world.mart.admin("POST", "/v1/products", Some(body)).await;
    let id = created["product"]["productId"].as_str().unwrap_or_else(|| panic!("{created}")).to_owned();
    world.products.insert(name, id.clone());
    world.mart.settle().await;
    if units > 0 {
        let path = format!("/v1/admin/stock-items/{id}/receive");
        let received = world.mart.admin("POST", &path, Some(json!({ "quantity": units, "reason": "delivery" }))).await;
        assert_eq!(world.mart.answer().status, 201, "{received}");
    }
}

#[given(
    regex = r"^an order of (.+) that is (placed|awaiting payment|confirmed|shipped|delivered|timed out|cancelled)$"
)]
async fn order_in_stage(world: &mut World, lines: String, stage: String) {
    world.place(&lines, None).await;
    assert_eq!(world.mart.answer().status, 201, "{:?}", world.mart.answer().body);
    if stage == "placed" {
        return;
    }
    world.mart.settle().await;
    match stage.as_str() {
        "timed out" => world.mart.pass(time::Duration::minutes(46)).await,
        "cancelled" => cancel(world, "customer".to_owned()).await,
        "confirmed" | "shipped" | "delivered" => world.capture(None, None).await,
        _ => {}
    }
    world.mart.settle().await;
    if ["shipped", "delivered"].contains(&stage.as_str()) {
        fulfil(world, "ships".to_owned()).await;
        assert_eq!(world.mart.answer().status, 200, "{:?}", world.mart.answer());
    }
    if stage == "delivered" {
        fulfil(world, "delivers".to_owned()).await;
        assert_eq!(world.mart.answer().status, 200, "{:?}", world.mart.answer());
    }
}

#[when(regex = r"^a customer orders (.+)$")]
async fn order(world: &mut World, lines: String) {
    world.place(&lines, None).await;
}

#[when(regex = r"^a customer who confirmed (.+) orders (\d.+)$")]
async fn order_for_total(world: &mut World, total: String, lines: String) {
    world.place(&lines, Some(&total)).await;
}

#[when(regex = r"^the (customer|admin|other customer) cancels the order$")]
async fn cancel(world: &mut World, who: String) {
    let path = format!("/v1/orders/{}/cancel", world.order);
    let role = if who == "admin" { "admin" } else { "customer" };
    let subject = if who == "customer" { world.customer.clone() } else { who };
    world.mart.call(Some((role, &subject)), "POST", &path, None, &[]).await;
}

#[when(regex = r"^the admin (ships|delivers) the order$")]
async fn fulfil(world: &mut World, what: String) {
    let (path, body) = match what.as_str() {
        "ships" => ("ship", Some(json!({ "carrier": "TCS", "trackingNumber": "77" }))),
        _ => ("deliver", None),
    };
    let path = format!("/v1/orders/{}/{path}", world.order);
    world.mart.admin("POST", &path, body).await;
}

#[when(regex = r"^the customer changes the address$")]
async fn change(world: &mut World) {
    let address = json!({ "recipient": "B", "lines": ["House 8"], "city": "Karachi", "countryCode": "PK" });
    let path = format!("/v1/orders/{}/change", world.order);
    world.customer("POST", &path, Some(json!({ "shippingAddress": address }))).await;
}

#[when(regex = r"^the price of the (\w+) changes to (.+)$")]
async fn reprice(world: &mut World, name: String, price: String) {
    let path = format!("/v1/products/{}", world.id(&name));
    world.mart.admin("PATCH", &path, Some(json!({ "prices": [money_json(&price)] }))).await;
    world.mart.settle().await;
}

#[when(regex = r"^the (\w+) is archived$")]
async fn archive(world: &mut World, name: String) {
    let path = format!("/v1/products/{}/archive", world.id(&name));
    world.mart.admin("POST", &path, None).await;
}

#[when(regex = r"^its payment is captured(?: as payment (\d+))?$")]
async fn captured(world: &mut World, number: String) {
    world.capture(None, number.parse().ok()).await;
}

#[when(regex = r"^a payment of (.+) is captured$")]
async fn captured_other(world: &mut World, amount: String) {
    world.capture(Some(&amount), None).await;
}

#[when(regex = r"^its payment fails$")]
async fn failed(world: &mut World) {
    let (order_id, payment_id) = (world.order.clone(), world.payment(None));
    world.publish(&PaymentFailed { order_id, payment_id, reason: "card declined".to_owned() }).await;
}

#[when(regex = r"^its refund of (.+) is completed$")]
async fn refunded(world: &mut World, amount: String) {
    let (order_id, payment_id) = (world.order.clone(), format!("pay-{}", world.payments));
    world.publish(&PaymentRefunded { order_id, payment_id, amount: Some(money(&amount)) }).await;
}

#[when(regex = r"^(\d+) minutes pass$")]
async fn pass(world: &mut World, minutes: i64) {
    world.mart.pass(time::Duration::minutes(minutes)).await;
}

#[when(regex = r"^(\d+) of the (\w+) break$")]
async fn breakage(world: &mut World, units: i32, name: String) {
    let path = format!("/v1/admin/stock-items/{}/adjust", world.id(&name));
    world.mart.admin("POST", &path, Some(json!({ "delta": -units, "reason": "breakage" }))).await;
}

#[then(regex = r"^the order is (placed|awaiting payment|confirmed|shipped|delivered)$")]
async fn is(world: &mut World, status: String) {
    world.mart.settle().await;
    let order = world.read().await;
    let expected = format!("ORDER_STATUS_{}", status.to_uppercase().replace(' ', "_"));
    assert_eq!(order["status"], expected.as_str(), "{:?}", world.mart);
}

#[then(regex = r"^the order is cancelled because of (customer|admin|no stock|payment timeout)$")]
async fn cancelled(world: &mut World, reason: String) {
    world.mart.settle().await;
    let order = world.read().await;
    let expected = format!("CANCEL_REASON_{}", reason.to_uppercase().replace(' ', "_"));
    assert_eq!((&order["status"], &order["cancelReason"]), (&json!("ORDER_STATUS_CANCELLED"), &json!(expected)));
}

#[then(regex = r"^(no|\d+) refunds? (?:is|are) requested$")]
async fn refunds(world: &mut World, count: String) {
    let expected: usize = count.parse().unwrap_or_default();
    let requested = world.kinds("mart.order.v1").await.iter().filter(|kind| *kind == "RefundRequested").count();
    assert_eq!(requested, expected, "{:?}", world.mart);
}

#[then(regex = r"^the order has published (.+)$")]
async fn published(world: &mut World, kinds: String) {
    assert_eq!(world.kinds("mart.order.v1").await, kinds.split(", ").collect::<Vec<_>>());
}

#[then(regex = r"^there are (\d+) (\w+), (\d+) of them reserved$")]
async fn stock(world: &mut World, on_hand: i64, name: String, reserved: i64) {
    world.mart.settle().await;
    let item = world.stock(&name).await;
    assert_eq!((item["onHand"].as_i64(), item["reserved"].as_i64()), (Some(on_hand), Some(reserved)), "{item}");
}

#[then(regex = r"^the ledger of the (\w+) sums to its stock$")]
async fn ledger(world: &mut World, name: String) {
    let path = format!("/v1/admin/stock-items/{}/ledger-entries?pageSize=200", world.id(&name));
    let listed = world.mart.send(Some(("admin", "admin")), "GET", &path, None, &[]).await.body;
    let entries = listed["ledgerEntries"].as_array().cloned().unwrap_or_default();
    let sum = |member: &str| entries.iter().filter_map(|entry| entry[member].as_i64()).sum::<i64>();
    let item = world.stock(&name).await;
    assert_eq!(
        (item["onHand"].as_i64(), item["reserved"].as_i64()),
        (Some(sum("onHandDelta")), Some(sum("reservedDelta")))
    );
}

#[then(regex = r"^the line of the (\w+) is rejected because it is (not on sale|not priced|too many)$")]
fn rejected(world: &mut World, name: String, reason: String) {
    let lines = world.mart.answer().body["details"]["lines"].as_array().cloned().unwrap_or_default();
    let reason = format!("LINE_REJECTION_REASON_{}", reason.to_uppercase().replace(' ', "_"));
    assert_eq!(lines, [json!({ "productId": world.id(&name), "reason": reason })]);
}

#[then(regex = r"^the new total is (.+)$")]
fn new_total(world: &mut World, total: String) {
    assert_eq!(world.mart.answer().body["details"]["total"], money_json(&total));
}

#[then(regex = r"^the timeline is$")]
async fn timeline(world: &mut World, step: &cucumber::gherkin::Step) {
    world.mart.settle().await;
    let path = format!("/v1/orders/{}/timeline", world.order);
    let timeline = world.customer("GET", &path, None).await;
    let entries = timeline["entries"].as_array().cloned().unwrap_or_default();
    let texts: Vec<&str> = entries.iter().filter_map(|entry| entry["text"].as_str()).collect();
    assert_eq!(texts, words::rows(step).iter().map(|row| row[0].as_str()).collect::<Vec<_>>());
}
