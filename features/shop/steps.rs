//! The steps of the customer journey.

#![allow(clippy::needless_pass_by_value, reason = "cucumber passes captures as strings")]

use cucumber::{given, then, when};
use devstack::providers::FakeStripe;
use features::words::{self, money_json};
use serde_json::{Value, json};

use crate::world::World;

features::steps!(response);

#[given(regex = r"^a shop with (\d+) mugs for (.+) each$")]
async fn shop(world: &mut World, units: i32, price: String) {
    let slug = world.mart.own("mug");
    let body =
        json!({ "name": "mug", "slug": slug, "status": "PRODUCT_STATUS_ACTIVE", "prices": [money_json(&price)] });
    let created = world.mart.admin("POST", "/v1/products", Some(body)).await;
    created["product"]["productId"].as_str().unwrap_or_default().clone_into(&mut world.product);
    world.mart.settle().await;
    let path = format!("/v1/admin/stock-items/{}/receive", world.product);
    world.mart.admin("POST", &path, Some(json!({ "quantity": units, "reason": "delivery" }))).await;
    assert_eq!(world.mart.answer().status, 201, "{:?}", world.mart.answer());
}

#[given("a customer who has registered, verified the email address and logged in")]
async fn customer(world: &mut World) {
    world.register().await;
    world.log_in().await;
    assert_eq!(world.mart.answer().status, 200, "{:?}", world.mart.answer());
}

#[given(regex = r"^the customer has ordered (\d+) mugs?$")]
#[when(regex = r"^the customer orders (\d+) mugs?$")]
async fn order(world: &mut World, quantity: i64) {
    let lines = json!([{ "productId": world.product, "quantity": quantity }]);
    let quote = json!({ "lines": lines, "currencyCode": "PKR" });
    let quote = world.mart.send(None, "POST", "/v1/orders/quote", Some(quote), &[]).await;
    let body = json!({
        "lines": lines, "total": quote.body["total"],
        "shippingAddress": { "recipient": "A", "lines": ["House 7"], "city": "Lahore", "countryCode": "PK" },
        "contact": { "email": "a@example.com" },
    });
    let placed = world.customer("POST", "/v1/orders", Some(body)).await;
    assert_eq!(world.mart.answer().status, 201, "{placed}");
    placed["order"]["orderId"].as_str().unwrap_or_default().clone_into(&mut world.order);
    world.mart.settle().await;
}

#[when("the customer starts a payment")]
async fn start(world: &mut World) {
    let path = format!("/v1/payments/{}/attempts", world.order);
    let started = world.customer("POST", &path, Some(json!({ "provider": world.provider }))).await;
    let checkout = &started["attempt"]["checkout"];
    if checkout.is_object() {
        world.checkouts.insert(world.provider.clone(), checkout.clone());
    }
}

#[given(regex = r"^orders are paid with (Stripe|PayFast|the sandbox)$")]
#[when(regex = r"^the customer switches to (Stripe|PayFast|the sandbox)$")]
fn provider(world: &mut World, name: String) {
    world.provider = name.trim_start_matches("the ").to_lowercase();
}

#[given("Stripe is unavailable for the order")]
fn unavailable(world: &mut World) {
    // Twice, because payment retries once.
    world.mart.providers().stripe.fail(&world.order, 2);
}

#[given(regex = r"^the bank (sends|does not send) refunds(, but later)?$")]
#[when(regex = r"^the bank (sends|does not send) refunds(, but later)?$")]
fn refunding(world: &mut World, sends: String, later: String) {
    let status = match (sends.as_str(), later.as_str()) {
        ("sends", "") => "succeeded",
        ("sends", _) => "pending",
        _ => "failed",
    };
    world.mart.providers().stripe.set_refund_status(&session(world), status);
}

/// Returns the last checkout session at Stripe.
fn session(world: &World) -> String {
    let checkout = world.checkout();
    FakeStripe::session_of(checkout["url"].as_str().unwrap_or_default()).expect("a checkout URL of Stripe").to_owned()
}

#[when(regex = r"^an operator refunds (.+) PKR in Stripe's dashboard$")]
async fn refund_externally(world: &mut World, amount: String) {
    let units = amount.replace('.', "").parse().expect("an amount");
    world.mart.providers().stripe.refund_externally(&session(world), units);
    resend(world).await;
}

#[when("Stripe reports it in another webhook event")]
async fn resend_as_new_event(world: &mut World) {
    world.mart.providers().stripe.resend_as_new_event(&session(world));
    resend(world).await;
}

#[when("the customer's bank disputes the payment")]
async fn dispute(world: &mut World) {
    world.mart.providers().stripe.dispute(&session(world));
    resend(world).await;
}

#[when(regex = r"^the provider reports it (?:late|again)$")]
async fn resend(world: &mut World) {
    let checkout = world.checkout();
    world.mart.resend_callback(&checkout).await;
    world.mart.settle().await;
}

#[when(regex = r"^(\d+) of the mugs break$")]
async fn break_some(world: &mut World, count: i64) {
    let path = format!("/v1/admin/stock-items/{}/adjust", world.product);
    world.mart.admin("POST", &path, Some(json!({ "delta": -count, "reason": "broken" }))).await;
    assert_eq!(world.mart.answer().status, 201, "{:?}", world.mart.answer());
}

#[when("an admin refunds by hand")]
async fn by_hand(world: &mut World) {
    let path = format!("/v1/payments/{}", world.order);
    let open = |task: &&Value| task["resolution"] == "" && task["refundId"] != "";
    let due = |payment: &Value| payment["tasks"].as_array().into_iter().flatten().find(open).cloned();
    world.until(&path, "payment", |payment| due(payment).is_some()).await;
    let task = due(&world.read(&path, "payment").await).expect("a task");
    let task = task["taskId"].as_str().unwrap_or_default();
    let path = format!("/v1/admin/payments/{}/tasks/{task}/resolve", world.order);
    world.mart.admin("POST", &path, Some(json!({ "resolution": "sent by hand", "refunded": true }))).await;
    assert_eq!(world.mart.answer().status, 200, "{:?}", world.mart.answer());
    world.mart.settle().await;
}

/// Returns the customer's actions on the checkout page, in order.
fn actions(how: &str) -> Vec<Value> {
    let pay = json!({ "action": "pay" });
    match how {
        "pays" => vec![pay],
        "pays, which is reported three times" => vec![json!({ "action": "pay", "calls": 3 })],
        "pays, which is not reported" => vec![json!({ "action": "pay", "calls": 0 })],
        "pays with the second card" => vec![json!({ "action": "decline" }), pay],
        "leaves and comes back to pay" => vec![json!({ "action": "leave" }), pay],
        "has no card that works" => vec![json!({ "action": "decline" })],
        "leaves" => vec![json!({ "action": "leave" })],
        "pays too little" => vec![json!({ "action": "pay", "amount": "1.00" })],
        "pays in dollars" => vec![json!({ "action": "pay", "currencyCode": "USD" })],
        "does nothing" => Vec::new(),
        other => panic!("unknown action of a customer: {other}"),
    }
}

#[given(regex = r"^the customer (pays)$")]
#[when(
    regex = r"^the customer (pays|pays, which is reported three times|pays, which is not reported|pays with the second card|leaves and comes back to pay|has no card that works|leaves|pays too little|pays in dollars|does nothing)$"
)]
async fn pay(world: &mut World, how: String) {
    for action in actions(&how) {
        // A checkout that has ended is followed by a new one.
        start(world).await;
        assert_eq!(world.mart.answer().status, 200, "{:?}", world.mart.answer());
        let checkout = world.checkout();
        world.mart.act(&checkout, action).await;
        world.mart.settle().await;
    }
}

#[when(regex = r"^(\d+) minutes pass$")]
async fn pass(world: &mut World, minutes: i64) {
    world.mart.pass(time::Duration::minutes(minutes)).await;
    world.mart.settle().await;
}

#[when(regex = r"^the (customer|admin) cancels the order$")]
async fn cancel(world: &mut World, who: String) {
    let path = format!("/v1/orders/{}/cancel", world.order);
    if who == "admin" {
        world.mart.admin("POST", &path, None).await;
    } else {
        world.customer("POST", &path, None).await;
    }
    world.mart.settle().await;
}

#[when("the order is shipped and delivered")]
async fn deliver(world: &mut World) {
    let ship = json!({ "carrier": "TCS", "trackingNumber": "77" });
    for (what, body) in [("ship", Some(ship)), ("deliver", None)] {
        let path = format!("/v1/orders/{}/{what}", world.order);
        world.mart.admin("POST", &path, body).await;
        assert_eq!(world.mart.answer().status, 200, "{:?}", world.mart.answer());
    }
}

#[when(regex = r"^the admin refunds (.+ PKR)$")]
async fn refund(world: &mut World, amount: String) {
    let path = format!("/v1/admin/payments/{}/refund", world.order);
    let id = "00000000-0000-7000-8000-00000000eeee";
    let body = json!({ "reason": "a scratch", "refundId": id, "amount": money_json(&amount) });
    world.mart.admin("POST", &path, Some(body)).await;
    assert_eq!(world.mart.answer().status, 200, "{:?}", world.mart.answer());
}

#[when("the admin disables the customer")]
async fn disable(world: &mut World) {
    let me = world.customer("GET", "/v1/me", None).await;
    let path = format!("/v1/admin/users/{}/disable", me["user"]["userId"].as_str().unwrap_or_default());
    world.mart.admin("POST", &path, None).await;
    world.log_in().await;
}

#[then(
    regex = r"^the order is (awaiting payment|confirmed|delivered|cancelled because of (?:customer|admin|no stock|payment timeout))$"
)]
async fn is(world: &mut World, status: String) {
    let (status, reason) = status.split_once(" because of ").unwrap_or((&status, "unspecified"));
    let name = |text: &str| text.to_uppercase().replace(' ', "_");
    let (status, reason) = (format!("ORDER_STATUS_{}", name(status)), format!("CANCEL_REASON_{}", name(reason)));
    let path = format!("/v1/orders/{}", world.order);
    world
        .until(&path, "order", |order| order["status"] == status.as_str() && order["cancelReason"] == reason.as_str())
        .await;
}

#[then(regex = r"^(.+) was captured and (.+) was refunded$")]
async fn balance(world: &mut World, captured: String, refunded: String) {
    let (captured, refunded) = (money_json(&captured), money_json(&refunded));
    let path = format!("/v1/payments/{}", world.order);
    world.until(&path, "payment", |payment| payment["captured"] == captured && payment["refunded"] == refunded).await;
}

#[then(regex = r"^there are (\d+) mugs, (\d+) of them reserved$")]
async fn stock(world: &mut World, on_hand: i64, reserved: i64) {
    let path = format!("/v1/admin/stock-items/{}", world.product);
    world.until(&path, "stockItem", |item| item["onHand"] == on_hand && item["reserved"] == reserved).await;
}

#[then(regex = r"^the payment has (\d+) open tasks?$")]
async fn tasks(world: &mut World, count: usize) {
    let path = format!("/v1/payments/{}", world.order);
    let open = |payment: &Value| {
        let tasks = payment["tasks"].as_array().cloned().unwrap_or_default();
        tasks.iter().filter(|task| task["resolution"] == "").count()
    };
    world.until(&path, "payment", |payment| open(payment) == count).await;
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

#[then(regex = r"^the customer has received the mails (.+)$")]
async fn mailed(world: &mut World, kinds: String) {
    let kind = |name: &str| format!("KIND_{}", name.to_uppercase());
    let mut kinds: Vec<String> = kinds.split(", ").map(kind).collect();
    kinds.sort();
    let path = format!("/v1/admin/notifications?orderId={}", world.order);
    let sent = |notifications: &Value| {
        let notifications = notifications.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut found: Vec<&str> = notifications.iter().filter_map(|each| each["kind"].as_str()).collect();
        found.sort_unstable();
        found == kinds && notifications.iter().all(|each| each["status"] == "NOTIFICATION_STATUS_SENT")
    };
    world.until(&path, "notifications", sent).await;
}
