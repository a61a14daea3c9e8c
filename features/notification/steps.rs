//! The steps of notification.

#![allow(clippy::needless_pass_by_value, reason = "cucumber passes captures as owned strings")]

use cucumber::gherkin::Step;
use cucumber::{given, then, when};
use mart_proto::order::v1::{
    OrderCancelled, OrderChanged, OrderConfirmed, OrderDelivered, OrderPlaced, OrderShipped, Shipment,
};
use mart_proto::payment::v1::{PaymentFailed, PaymentRefunded};
use mart_proto::user::v1::{Link, PasswordResetRequested, VerificationRequested};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::World;

features::steps!(response);

/// Returns kind, channel and status of each notification.
fn summaries(listed: &[Value]) -> Vec<(String, String, String)> {
    let name = |value: &Value, prefix: &str| value.as_str().unwrap_or_default().trim_start_matches(prefix).to_owned();
    let summary = |one: &Value| {
        let status = name(&one["status"], "NOTIFICATION_STATUS_");
        (name(&one["kind"], "KIND_"), name(&one["channel"], "CHANNEL_"), status)
    };
    listed.iter().map(summary).collect()
}

impl World {
    fn order_filter(&self) -> String {
        format!("orderId={}", self.order.order_id)
    }

    async fn set_preference(&mut self, kind: &str, channel: &str, enabled: bool) {
        let body =
            json!({ "kind": format!("KIND_{kind}"), "channel": format!("CHANNEL_{channel}"), "enabled": enabled });
        self.customer("PUT", "/v1/me/notification-preferences", Some(body)).await;
    }

    async fn first(&mut self) -> Value {
        let filter = self.order_filter();
        self.listed(&filter).await.first().cloned().unwrap_or_default()
    }
}

#[given("an order with an email address")]
fn order_with_email(world: &mut World) {
    assert!(!world.order.contact.clone().unwrap_or_default().email.is_empty());
}

#[given("an order with an email address and a phone number")]
fn order_with_phone(world: &mut World) {
    "+923001234567".clone_into(&mut world.order.contact.as_mut().expect("a contact").phone);
}

#[given("an order with an email address that the mail server rejects")]
fn order_with_rejected_address(world: &mut World) {
    let email = format!("{}@refused.example", world.mart.own("ayesha"));
    world.order.contact.as_mut().expect("a contact").email = email;
}

#[when("the order is placed")]
async fn placed(world: &mut World) {
    let order = Some(world.order.clone());
    world.publish(&OrderPlaced { order }).await;
}

#[when("the order is paid")]
async fn paid(world: &mut World) {
    let order = Some(world.order.clone());
    world.publish(&OrderConfirmed { order }).await;
}

#[when("the order is paid after it was reinstated")]
async fn paid_late(world: &mut World) {
    world.order.reinstate_count = 1;
    let order = Some(world.order.clone());
    world.publish(&OrderConfirmed { order }).await;
}

#[when("the order is shipped")]
async fn shipped(world: &mut World) {
    world.order.shipment = Some(Shipment { carrier: "TCS".to_owned(), tracking_number: "42".to_owned() });
    let order = Some(world.order.clone());
    world.publish(&OrderShipped { order }).await;
}

#[when("the order is delivered")]
async fn delivered(world: &mut World) {
    let order = Some(world.order.clone());
    world.publish(&OrderDelivered { order }).await;
}

#[when("the order is cancelled")]
async fn cancelled(world: &mut World) {
    let order = Some(world.order.clone());
    world.publish(&OrderCancelled { order }).await;
}

#[when("the email address of the order is changed")]
async fn changed(world: &mut World) {
    let email = format!("{}@mart.example", world.mart.own("other"));
    world.order.contact.as_mut().expect("a contact").email = email;
    let order = Some(world.order.clone());
    world.publish(&OrderChanged { order }).await;
}

#[when("its payment fails")]
async fn failed(world: &mut World) {
    let (order_id, payment_id) = (world.order.order_id.clone(), world.payment.clone());
    world.publish_payment(&PaymentFailed { order_id, payment_id, reason: "declined".to_owned() }).await;
}

#[when("a part of its payment is refunded")]
async fn refunded(world: &mut World) {
    let (order_id, payment_id) = (world.order.order_id.clone(), world.payment.clone());
    let amount = Some(features::words::money("500.00 PKR"));
    world.publish_payment(&PaymentRefunded { order_id, payment_id, amount }).await;
}

#[when(regex = r"^a (verification|reset) link is published for an email address$")]
async fn link(world: &mut World, which: String) {
    let seconds = world.mart.seconds() + 3_600;
    let link = Link {
        link_id: Uuid::new_v4().to_string(),
        email: format!("{}@mart.example", world.mart.own("ayesha")),
        token: "secret".to_owned(),
        expire_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
        ..Link::default()
    };
    let key = link.link_id.clone();
    let record = if which == "reset" {
        features::record("mart.user_link.v1", &key, 1, &PasswordResetRequested { link: Some(link) })
    } else {
        features::record("mart.user_link.v1", &key, 1, &VerificationRequested { link: Some(link) })
    };
    for _ in 0..2 {
        world.mart.publish(&record).await;
    }
}

#[then(regex = r"^one (\w+) mail is sent to that email address$")]
async fn one_mail(world: &mut World, kind: String) {
    let to = format!("recipient={}@mart.example", world.mart.own("ayesha"));
    let sent = vec![(kind, "MAIL".to_owned(), "SENT".to_owned())];
    world.until(&to, |listed| summaries(listed) == sent).await;
}

#[then("these notifications are sent")]
async fn sent(world: &mut World, step: &Step) {
    let rows = step.table.iter().flat_map(|table| &table.rows);
    let mut sent: Vec<_> = rows.map(|row| (row[0].clone(), row[1].clone(), "SENT".to_owned())).collect();
    sent.sort();
    let filter = world.order_filter();
    world
        .until(&filter, |listed| {
            let mut found: Vec<_> =
                summaries(listed).into_iter().filter(|(.., status)| status != "SUPPRESSED").collect();
            found.sort();
            found == sent
        })
        .await;
}

#[then("the PAID mail is sent to the new email address")]
async fn paid_mail_to_new_address(world: &mut World) {
    let to = format!("recipient={}@mart.example", world.mart.own("other"));
    let sent = vec![("PAID".to_owned(), "MAIL".to_owned(), "SENT".to_owned())];
    world.until(&to, |listed| summaries(listed) == sent).await;
}

#[given(regex = r"^the customer disables (\w+) by (\w+)$")]
#[when(regex = r"^the customer disables (\w+) by (\w+)$")]
async fn disables(world: &mut World, kind: String, channel: String) {
    world.set_preference(&kind, &channel, false).await;
}

#[given(regex = r"^the customer enables (\w+) by (\w+)$")]
#[when(regex = r"^the customer enables (\w+) by (\w+)$")]
async fn enables(world: &mut World, kind: String, channel: String) {
    world.set_preference(&kind, &channel, true).await;
}

#[then(regex = r"^(\w+) by (\w+) (is suppressed|has failed)$")]
async fn has_outcome(world: &mut World, kind: String, channel: String, outcome: String) {
    let status = if outcome == "has failed" { "FAILED" } else { "SUPPRESSED" };
    let expected = (kind, channel, status.to_owned());
    let filter = world.order_filter();
    world.until(&filter, |listed| summaries(listed).contains(&expected)).await;
}

#[when("the customer reads their preferences")]
async fn reads_preferences(world: &mut World) {
    world.customer("GET", "/v1/me/notification-preferences", None).await;
}

#[then(regex = r"^there are (\d+) preferences, (\d+) of them fixed$")]
fn preference_count(world: &mut World, all: usize, fixed: usize) {
    let preferences = world.mart.answer().body["preferences"].as_array().cloned().unwrap_or_default();
    let fixed_ones = preferences.iter().filter(|preference| preference["fixed"] == true).count();
    assert_eq!((preferences.len(), fixed_ones), (all, fixed), "{preferences:?}");
}

#[when("an admin resends the notification")]
async fn resends(world: &mut World) {
    let id = world.first().await["notificationId"].as_str().unwrap_or_default().to_owned();
    world.mart.admin("POST", &format!("/v1/admin/notifications/{id}/resend"), Some(json!({}))).await;
}

#[when("an admin resends a notification that does not exist")]
async fn resends_missing(world: &mut World) {
    let path = format!("/v1/admin/notifications/{}/resend", Uuid::new_v4());
    world.mart.admin("POST", &path, Some(json!({}))).await;
}

#[then("the second attempt fails")]
async fn second_attempt_fails(world: &mut World) {
    assert_eq!(world.mart.answer().status, 200, "{:?}", world.mart.answer());
    let filter = world.order_filter();
    let twice = |listed: &[Value]| {
        listed.iter().any(|one| one["attempts"] == 2 && one["status"] == "NOTIFICATION_STATUS_FAILED")
    };
    world.until(&filter, twice).await;
}
