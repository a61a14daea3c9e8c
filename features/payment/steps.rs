//! The steps of payment.

#![allow(clippy::needless_pass_by_value, reason = "cucumber passes a step's parameters as strings")]

use cucumber::{given, then, when};
use features::words::{self, money, money_json};
use mart_proto::Wire;
use mart_proto::order::v1 as order;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::World;

features::steps!(response);

impl World {
    /// Publishes an event of the order service.
    async fn publish<M: Wire>(&mut self, message: &M) {
        let record = features::record("mart.order.v1", &self.order, 1, message);
        self.mart.publish(&record).await;
        self.mart.settle().await;
    }

    /// Performs the customer's action on the page of the newest checkout.
    async fn act(&mut self, action: Value) {
        let checkout = self.checkouts.last().cloned().expect("a checkout");
        self.mart.act(&checkout, action).await;
        self.mart.settle().await;
    }
}

#[given("an order of 1500.00 PKR awaits payment")]
#[when("the order's earlier event arrives")]
async fn await_payment(world: &mut World) {
    let order = Some(world.order_message());
    world.publish(&order::OrderAwaitingPayment { order }).await;
}

#[given("the customer has started to pay")]
async fn started(world: &mut World) {
    world.start("").await;
    assert_eq!(world.mart.answer().status, 200, "{:?}", world.mart.answer());
}

#[when(regex = r"^the customer starts to pay(?: with (\w+))?$")]
async fn start(world: &mut World, provider: String) {
    world.start(&provider).await;
}

#[when("another customer starts to pay")]
async fn start_as_other_customer(world: &mut World) {
    let path = format!("/v1/payments/{}/attempts", world.order);
    world.mart.call(Some(("customer", "Bilal")), "POST", &path, Some(json!({})), &[]).await;
}

#[given("the order is paid")]
#[when(regex = "^the customer pays$")]
async fn pay(world: &mut World) {
    if world.checkouts.is_empty() {
        world.start("").await;
    }
    world.act(json!({ "action": "pay" })).await;
}

#[when(regex = r"^the customer pays (\S+) (\w+)$")]
async fn pay_other_amount(world: &mut World, amount: String, currency: String) {
    world.act(json!({ "action": "pay", "amount": amount, "currencyCode": currency })).await;
}

#[when(regex = r"^the card is declined$")]
async fn decline(world: &mut World) {
    world.act(json!({ "action": "decline" })).await;
}

#[when(regex = r"^the customer leaves the page$")]
async fn leave(world: &mut World) {
    world.act(json!({ "action": "leave" })).await;
}

#[when(regex = r"^the customer pays and the provider sends (\d) webhooks$")]
async fn pay_with_webhooks(world: &mut World, calls: u8) {
    world.act(json!({ "action": "pay", "calls": calls })).await;
}

#[when(regex = r"^the customer pays and the provider sends a late webhook$")]
async fn pay_with_late_webhook(world: &mut World) {
    world.act(json!({ "action": "pay", "delayMs": 1500 })).await;
}

#[when(regex = r"^(\d+) minutes pass$")]
async fn pass_time(world: &mut World, minutes: i64) {
    world.mart.pass(time::Duration::minutes(minutes)).await;
    world.mart.settle().await;
}

#[when("the order is cancelled")]
async fn cancel(world: &mut World) {
    let order = Some(world.order_message());
    world.publish(&order::OrderCancelled { order }).await;
}

#[when(regex = r"^the order requests a refund(?: (twice))?$")]
async fn request_refund(world: &mut World, twice: String) {
    let payment_id = world.read().await["attempts"][0]["attemptId"].as_str().unwrap_or_default().to_owned();
    let (order, amount) = (Some(world.order_message()), Some(money("1500.00 PKR")));
    let record =
        features::record("mart.order.v1", &world.order, 1, &order::RefundRequested { order, payment_id, amount });
    world.mart.publish(&record).await;
    if !twice.is_empty() {
        world.mart.publish(&record).await;
    }
    world.mart.settle().await;
}

#[when(regex = r"^an admin refunds (all|.+ PKR|.+ USD)$")]
async fn refund(world: &mut World, amount: String) {
    let path = format!("/v1/admin/payments/{}/refund", world.order);
    let mut body = json!({ "reason": "broken", "refundId": Uuid::new_v4() });
    if amount != "all" {
        body["amount"] = money_json(&amount);
    }
    world.mart.admin("POST", &path, Some(body)).await;
}

#[when("an admin resolves the task")]
async fn resolve(world: &mut World) {
    let task = world.read().await["tasks"][0]["taskId"].as_str().unwrap_or_default().to_owned();
    let path = format!("/v1/admin/payments/{}/tasks/{task}/resolve", world.order);
    world.mart.admin("POST", &path, Some(json!({ "resolution": "asked the customer" }))).await;
}

#[when(regex = r"^an attacker reports a payment (without a signature|under their own signature)$")]
async fn forge_webhook(world: &mut World, signed: String) {
    let body =
        json!({ "event": "e", "checkout": "cs", "kind": "captured", "amount": "1500.00", "currencyCode": "PKR" });
    let signature = devstack::sandbox::sign("another secret", &body.to_string(), time::OffsetDateTime::now_utc());
    let headers = [("sandbox-signature", signature.as_str())];
    let headers = if signed == "without a signature" { &[][..] } else { &headers };
    world.mart.call(None, "POST", "/v1/payment-webhooks/sandbox", Some(body), headers).await;
}

#[when(regex = r"^a caller without a token requests (\w+)$")]
async fn request_without_token(world: &mut World, operation: String) {
    world.mart.call_without_token("payment", &operation).await;
}

#[then(regex = r"^the payment is (open|paid|refunded|closed)$")]
async fn check_status(world: &mut World, status: String) {
    let expected = format!("PAYMENT_STATUS_{}", status.to_uppercase());
    world.until(|payment| payment["status"] == expected.as_str()).await;
}

#[then(regex = r"^(.+) was captured and (.+) was refunded$")]
async fn check_balance(world: &mut World, captured: String, refunded: String) {
    let (captured, refunded) = (money_json(&captured), money_json(&refunded));
    world.until(|payment| payment["captured"] == captured && payment["refunded"] == refunded).await;
}

#[then(regex = r"^the attempts are (.+)$")]
async fn check_attempts(world: &mut World, expected: String) {
    let attempts = world.read().await["attempts"].as_array().cloned().unwrap_or_default();
    let status = |attempt: &Value| {
        attempt["status"].as_str().unwrap_or_default().trim_start_matches("ATTEMPT_STATUS_").to_lowercase()
    };
    assert_eq!(attempts.iter().map(status).collect::<Vec<_>>().join(", "), expected);
}

#[then(regex = r"^the payment has published (.+)$")]
async fn check_published(world: &mut World, kinds: String) {
    world.mart.settle().await;
    let expected: Vec<&str> = kinds.split(", ").filter(|kind| *kind != "nothing").collect();
    let order = world.order.clone();
    assert_eq!(words::published(&world.mart.history().await, "mart.payment.v1", &order), expected, "{world:?}");
}

#[then(regex = r"^the payment has (?:an open task about (.+)|no open task)$")]
async fn check_tasks(world: &mut World, reason: String) {
    let tasks = world.read().await["tasks"].as_array().cloned().unwrap_or_default();
    let open =
        tasks.iter().filter(|task| task["resolution"] == "").map(|task| task["reason"].as_str().unwrap_or_default());
    let open: Vec<&str> = open.collect();
    let expected = usize::from(!reason.is_empty());
    assert!(open.len() == expected && open.iter().all(|found| found.contains(&reason)), "{open:?}");
}
