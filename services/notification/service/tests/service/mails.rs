//! Mails arrive at a real mail server: each once, later where it was away, and none is lost when notification is killed.

use std::collections::BTreeSet;
use std::time::Duration;

use devstack::testing::{self, App, Servers, TestEvent, until};
use devstack::{mail, ports};
use mart_proto::order::v1::{Contact, Order, OrderPlaced};
use mart_proto::r#type::v1::{Address, Money};
use prost::Message;
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::PROGRAM;

/// An order of 1500 rupees was placed, of which this mailbox is told in a language.
pub(crate) fn placed(email: &str, locale: &str) -> TestEvent {
    let order = Uuid::new_v4().to_string();
    let contact = Contact { email: email.to_owned(), locale: locale.to_owned(), ..Contact::default() };
    let told = Order {
        order_id: order.clone(),
        customer_id: "ayesha".to_owned(),
        total: Some(Money { amount: "1500.00".to_owned(), currency_code: "PKR".to_owned() }),
        contact: Some(contact),
        shipping_address: Some(Address { recipient: "Ayesha".to_owned(), ..Address::default() }),
        ..Order::default()
    };
    let payload = OrderPlaced { order: Some(told) }.encode_to_vec();
    TestEvent::new("mart.order.v1", "mart.order.v1.OrderPlaced", payload).about(&order, 1)
}

/// Where a mail server of this test's own is, or will be.
fn somewhere() -> mail::Access {
    mail::Access { smtp: ports::any().expect("a port"), page: ports::any().expect("a port") }
}

async fn server(access: mail::Access) -> mail::Running {
    let folder = Servers::of_this_run().scratch.join(format!("mail-{}", access.smtp));
    mail::Running::start(&testing::devstack(), &folder, access, None).await.expect("a mail server")
}

/// Notification, which sends by a mail server and tries again soon.
async fn notification(access: mail::Access, more: &[(&str, &str)]) -> App {
    let mut spec = Servers::of_this_run().service("notification", PROGRAM).await.expect("prepared");
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    spec.more = access.variables().into_iter().collect();
    spec.more.extend([("SEND_INTERVAL", "100ms"), ("SEND_BACKOFF", "200ms")].iter().chain(more).map(own));
    App::of_consumer(spec, &["mart.order.v1"]).await
}

/// What was made for a filter.
pub(crate) async fn listed(app: &App, filter: &str) -> Vec<Value> {
    let told = app.admin(Method::GET, &format!("/v1/admin/notifications?pageSize=200&{filter}"), None).await;
    assert_eq!(told.status, 200, "{}", told.body);
    told.body["notifications"].as_array().cloned().unwrap_or_default()
}

fn all(listed: &[Value], status: &str) -> bool {
    listed.iter().all(|notification| notification["status"] == status)
}

#[tokio::test]
async fn two_replicas_that_hear_everything_twice_send_each_mail_once() {
    let access = somewhere();
    let _server = server(access).await;
    let app = notification(access, &[]).await;
    let _other = app.replica().await;
    let told: Vec<TestEvent> = (0..40).map(|_| placed("ayesha@mart.example", "en")).collect();
    app.publish_all(&[told.clone(), told].concat()).await;
    until("all are sent", async || {
        let sent = listed(&app, "status=NOTIFICATION_STATUS_SENT").await;
        sent.len() == 40 && all(&sent, "NOTIFICATION_STATUS_SENT")
    })
    .await;
    let mails = mail::to(&access.url(), "ayesha@mart.example").await.expect("mails");
    let ids: BTreeSet<String> = mails.iter().map(|mail| mail["messageId"].to_string()).collect();
    assert_eq!((mails.len(), ids.len()), (40, 40));
}

#[tokio::test]
async fn a_mail_says_what_happened_in_the_language_of_the_order() {
    let access = somewhere();
    let _server = server(access).await;
    let app = notification(access, &[("SHOP_NAME", "Anarkali Mugs")]).await;
    app.publish_all(&[placed("ayesha@mart.example", "en"), placed("zainab@mart.example", "ur-PK")]).await;
    for (mailbox, title, direction) in
        [("ayesha@mart.example", "order", "dir=\"ltr\""), ("zainab@mart.example", "آرڈر", "dir=\"rtl\"")]
    {
        let mut found = Vec::new();
        until("the mail is there", async || {
            found = mail::to(&access.url(), mailbox).await.expect("mails");
            !found.is_empty()
        })
        .await;
        let mail = &found[0];
        let part = |name: &str| mail[name].as_str().unwrap_or_default();
        assert!(part("subject").contains(title) && part("html").contains("Anarkali Mugs"), "{mail}");
        assert!(part("text").contains("1500.00 PKR") && part("html").contains("1500.00 PKR"), "{mail}");
        assert!(part("html").contains(direction), "{mail}");
        let made = listed(&app, &format!("recipient={mailbox}")).await;
        let id = made[0]["notificationId"].as_str().unwrap_or_default();
        assert_eq!(part("messageId"), format!("{id}@mart.example"), "{mail}");
    }
}

#[tokio::test]
async fn a_mail_server_that_is_away_is_waited_for() {
    let access = somewhere();
    let mut server = server(access).await;
    let app = notification(access, &[]).await;
    server.process.kill().await;
    app.publish(&placed("ayesha@mart.example", "en")).await;
    until("it was tried in vain", async || {
        let made = listed(&app, "").await;
        made.iter().any(|made| made["attempts"].as_i64() > Some(1) && made["failure"] != "")
            && all(&made, "NOTIFICATION_STATUS_PENDING")
    })
    .await;
    server.again().await.expect("it is back");
    until("it is sent", async || all(&listed(&app, "").await, "NOTIFICATION_STATUS_SENT")).await;
    assert_eq!(mail::to(&access.url(), "ayesha@mart.example").await.expect("mails").len(), 1);
}

#[tokio::test]
async fn a_mail_server_that_takes_the_connection_and_says_nothing_is_given_up() {
    let access = somewhere();
    let mute = tokio::net::TcpListener::bind(("127.0.0.1", access.smtp)).await.expect("bound");
    let app = notification(access, &[("SEND_TIMEOUT", "300ms")]).await;
    app.publish(&placed("ayesha@example.com", "en")).await;
    // Held until the end: no connection is closed by the other side.
    let mut held = Vec::new();
    for _ in 0..2 {
        let tried = tokio::time::timeout(Duration::from_mins(5), mute.accept()).await;
        held.push(tried.expect("it is tried again").expect("connected"));
    }
    drop(mute);
    let server = server(access).await;
    until("it is sent", async || {
        let made = listed(&app, "").await;
        made.len() == 1 && all(&made, "NOTIFICATION_STATUS_SENT")
    })
    .await;
    drop((server, held));
}

/// Whoever is killed has letters claimed, and one that the server took may not be marked: it comes again under its id.
#[tokio::test]
async fn none_is_lost_when_it_is_killed_at_any_moment() {
    const ORDERS: usize = 150;
    let access = somewhere();
    let _server = server(access).await;
    let mut app = notification(access, &[("SEND_TIMEOUT", "5s")]).await;
    let told: Vec<TestEvent> = (0..ORDERS).map(|nth| placed(&format!("c{nth}@mart.example"), "en")).collect();
    let mut sent = 0;
    for part in told.chunks(ORDERS / 5) {
        app.publish_all(part).await;
        // It is in the middle of it.
        until("it sends some", async || listed(&app, "status=NOTIFICATION_STATUS_SENT").await.len() > sent).await;
        app = app.kill_and_start().await;
        sent = listed(&app, "status=NOTIFICATION_STATUS_SENT").await.len();
    }
    until("all are sent", async || listed(&app, "status=NOTIFICATION_STATUS_SENT").await.len() == ORDERS).await;
    assert_eq!(listed(&app, "").await.len(), ORDERS);
    for nth in 0..ORDERS {
        let mailbox = format!("c{nth}@mart.example");
        let mails = mail::to(&access.url(), &mailbox).await.expect("mails");
        let ids: BTreeSet<String> = mails.iter().map(|mail| mail["messageId"].to_string()).collect();
        assert_eq!(ids.len(), 1, "{mailbox}: {mails:?}");
    }
}
