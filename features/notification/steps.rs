//! The steps of notification.

#![allow(clippy::needless_pass_by_value, reason = "cucumber gives a step its words as strings")]

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

/// What a list says of itself: kind, channel and status.
fn said(listed: &[Value]) -> Vec<(String, String, String)> {
    let word = |value: &Value, prefix: &str| value.as_str().unwrap_or_default().trim_start_matches(prefix).to_owned();
    let one = |told: &Value| {
        let status = word(&told["status"], "NOTIFICATION_STATUS_");
        (word(&told["kind"], "KIND_"), word(&told["channel"], "CHANNEL_"), status)
    };
    listed.iter().map(one).collect()
}

impl World {
    fn about(&self) -> String {
        format!("orderId={}", self.order.order_id)
    }

    async fn choose(&mut self, kind: &str, channel: &str, enabled: bool) {
        let body =
            json!({ "kind": format!("KIND_{kind}"), "channel": format!("CHANNEL_{channel}"), "enabled": enabled });
        self.customer("PUT", "/v1/me/notification-preferences", Some(body)).await;
    }

    async fn first(&mut self) -> Value {
        let about = self.about();
        self.listed(&about).await.first().cloned().unwrap_or_default()
    }
}

#[given("an order of a customer with a mailbox")]
fn order_with_mailbox(world: &mut World) {
    assert!(!world.order.contact.clone().unwrap_or_default().email.is_empty());
}

#[given("an order of a customer with a mailbox and a phone")]
fn order_with_phone(world: &mut World) {
    "+923001234567".clone_into(&mut world.order.contact.as_mut().expect("a contact").phone);
}

#[given("an order of a customer whose mailbox is refused")]
fn order_with_refused_mailbox(world: &mut World) {
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

#[when("the order gets another mailbox")]
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

#[when("a part of its money is refunded")]
async fn refunded(world: &mut World) {
    let (order_id, payment_id) = (world.order.order_id.clone(), world.payment.clone());
    let amount = Some(features::words::money("500.00 PKR"));
    world.publish_payment(&PaymentRefunded { order_id, payment_id, amount }).await;
}

#[when(regex = r"^a (verification|reset) link is published for a mailbox$")]
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
    let told = if which == "reset" {
        features::record("mart.user_link.v1", &key, 1, &PasswordResetRequested { link: Some(link) })
    } else {
        features::record("mart.user_link.v1", &key, 1, &VerificationRequested { link: Some(link) })
    };
    for _ in 0..2 {
        world.mart.publish(&told).await;
    }
}

#[then(regex = r"^one (\w+) mail is sent to that mailbox$")]
async fn one_mail(world: &mut World, kind: String) {
    let to = format!("recipient={}@mart.example", world.mart.own("ayesha"));
    let sent = vec![(kind, "MAIL".to_owned(), "SENT".to_owned())];
    world.until(&to, |listed| said(listed) == sent).await;
}

#[then("these are sent about the order")]
async fn sent(world: &mut World, step: &Step) {
    let rows = step.table.iter().flat_map(|table| &table.rows);
    let mut sent: Vec<_> = rows.map(|row| (row[0].clone(), row[1].clone(), "SENT".to_owned())).collect();
    sent.sort();
    let about = world.about();
    world
        .until(&about, |listed| {
            let mut said: Vec<_> = said(listed).into_iter().filter(|(.., status)| status != "SUPPRESSED").collect();
            said.sort();
            said == sent
        })
        .await;
}

#[then("what is told of its payment goes to the other mailbox")]
async fn other_mailbox(world: &mut World) {
    let to = format!("recipient={}@mart.example", world.mart.own("other"));
    let sent = vec![("PAID".to_owned(), "MAIL".to_owned(), "SENT".to_owned())];
    world.until(&to, |listed| said(listed) == sent).await;
}

#[given(regex = r"^the customer does not want (\w+) by (\w+)$")]
#[when(regex = r"^the customer does not want (\w+) by (\w+)$")]
async fn unwanted(world: &mut World, kind: String, channel: String) {
    world.choose(&kind, &channel, false).await;
}

#[given(regex = r"^the customer wants (\w+) by (\w+)$")]
#[when(regex = r"^the customer wants (\w+) by (\w+)$")]
async fn wanted(world: &mut World, kind: String, channel: String) {
    world.choose(&kind, &channel, true).await;
}

#[then(regex = r"^(\w+) by (\w+) (is suppressed|has failed)$")]
async fn suppressed(world: &mut World, kind: String, channel: String, how: String) {
    let status = if how == "has failed" { "FAILED" } else { "SUPPRESSED" };
    let there = (kind, channel, status.to_owned());
    let about = world.about();
    world.until(&about, |listed| said(listed).contains(&there)).await;
}

#[when("the customer looks at what can be chosen")]
async fn choices(world: &mut World) {
    world.customer("GET", "/v1/me/notification-preferences", None).await;
}

#[then(regex = r"^there are (\d+) choices, (\d+) of them fixed$")]
fn counted(world: &mut World, all: usize, fixed: usize) {
    let told = world.answer().body["preferences"].as_array().cloned().unwrap_or_default();
    let fixed_ones = told.iter().filter(|choice| choice["fixed"] == true).count();
    assert_eq!((told.len(), fixed_ones), (all, fixed), "{told:?}");
}

#[when("an admin has it sent again")]
async fn again(world: &mut World) {
    let id = world.first().await["notificationId"].as_str().unwrap_or_default().to_owned();
    world.admin("POST", &format!("/v1/admin/notifications/{id}/resend-notification"), Some(json!({}))).await;
}

#[when("an admin has one sent again that is not there")]
async fn again_nothing(world: &mut World) {
    let path = format!("/v1/admin/notifications/{}/resend-notification", Uuid::new_v4());
    world.admin("POST", &path, Some(json!({}))).await;
}

#[then("it is tried once more and fails again")]
async fn tried_again(world: &mut World) {
    assert_eq!(world.answer().status, 200, "{:?}", world.answer());
    let about = world.about();
    let twice = |listed: &[Value]| {
        listed.iter().any(|told| told["attempts"] == 2 && told["status"] == "NOTIFICATION_STATUS_FAILED")
    };
    world.until(&about, twice).await;
}

#[then(regex = r"^it is refused as (\d+) (\w+)$")]
fn refused(world: &mut World, status: u16, code: String) {
    world.answer().expect(status, &code);
}
