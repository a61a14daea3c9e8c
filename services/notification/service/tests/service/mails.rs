//! Tests with a real mail server: each mail arrives once, after an outage too, and none is lost if the service is killed.

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

/// Returns an `OrderPlaced` event of an order of 1500 rupees with this email address and locale.
pub(crate) fn placed(email: &str, locale: &str) -> TestEvent {
    let order = Uuid::new_v4().to_string();
    let contact = Contact { email: email.to_owned(), locale: locale.to_owned(), ..Contact::default() };
    let placed = Order {
        order_id: order.clone(),
        customer_id: "ayesha".to_owned(),
        total: Some(Money { amount: "1500.00".to_owned(), currency_code: "PKR".to_owned() }),
        contact: Some(contact),
        shipping_address: Some(Address { recipient: "Ayesha".to_owned(), ..Address::default() }),
        ..Order::default()
    };
    let payload = OrderPlaced { order: Some(placed) }.encode_to_vec();
    TestEvent::new("mart.order.v1", "mart.order.v1.OrderPlaced", payload).about(&order, 1)
}

/// Returns the unused ports of a mail server for one test.
fn free_access() -> mail::Access {
    mail::Access { smtp: ports::any().expect("a port"), page: ports::any().expect("a port") }
}

async fn server(access: mail::Access) -> mail::MailProcess {
    let folder = Servers::from_env().scratch.join(format!("mail-{}", access.smtp));
    mail::MailProcess::start(&testing::devstack(), &folder, access, None).await.expect("a mail server")
}

/// Starts the service with this mail server and short pauses between retries.
async fn notification(access: mail::Access, more: &[(&str, &str)]) -> App {
    let mut spec = Servers::from_env().service("notification", PROGRAM).await.expect("prepared");
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    spec.more = access.variables().into_iter().collect();
    spec.more.extend([("SEND_INTERVAL", "100ms"), ("SEND_BACKOFF", "200ms")].iter().chain(more).map(owned));
    App::of_consumer(spec, &["mart.order.v1"]).await
}

/// Returns the notifications that match a filter.
pub(crate) async fn listed(app: &App, filter: &str) -> Vec<Value> {
    let response = app.admin(Method::GET, &format!("/v1/admin/notifications?pageSize=200&{filter}"), None).await;
    assert_eq!(response.status, 200, "{}", response.body);
    response.body["notifications"].as_array().cloned().unwrap_or_default()
}

fn all(listed: &[Value], status: &str) -> bool {
    listed.iter().all(|notification| notification["status"] == status)
}

#[tokio::test]
async fn replicas_send_each_mail_once_after_duplicate_events() {
    let access = free_access();
    let _server = server(access).await;
    let app = notification(access, &[]).await;
    let _other = app.replica().await;
    let events: Vec<TestEvent> = (0..40).map(|_| placed("ayesha@mart.example", "en")).collect();
    app.publish_all(&[events.clone(), events].concat()).await;
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
async fn a_mail_is_in_the_language_of_the_order() {
    let access = free_access();
    let _server = server(access).await;
    let app = notification(access, &[("SHOP_NAME", "Anarkali Mugs")]).await;
    app.publish_all(&[placed("ayesha@mart.example", "en"), placed("zainab@mart.example", "ur-PK")]).await;
    for (mailbox, title, direction) in
        [("ayesha@mart.example", "order", "dir=\"ltr\""), ("zainab@mart.example", "آرڈر", "dir=\"rtl\"")]
    {
        let mut found = Vec::new();
        until("the mail has arrived", async || {
            found = mail::to(&access.url(), mailbox).await.expect("mails");
            !found.is_empty()
        })
        .await;
        let mail = &found[0];
        let part = |name: &str| mail[name].as_str().unwrap_or_default();
        assert!(part("subject").contains(title) && part("html").contains("Anarkali Mugs"), "{mail}");
        assert!(part("text").contains("1500.00 PKR") && part("html").contains("1500.00 PKR"), "{mail}");
        assert!(part("html").contains(direction), "{mail}");
        let sent = listed(&app, &format!("recipient={mailbox}")).await;
        let id = sent[0]["notificationId"].as_str().unwrap_or_default();
        assert_eq!(part("messageId"), format!("{id}@mart.example"), "{mail}");
    }
}

#[tokio::test]
async fn mails_are_retried_until_the_mail_server_is_available() {
    let access = free_access();
    let mut server = server(access).await;
    let app = notification(access, &[]).await;
    server.process.kill().await;
    app.publish(&placed("ayesha@mart.example", "en")).await;
    until("an attempt has failed", async || {
        let found = listed(&app, "").await;
        found.iter().any(|one| one["attempts"].as_i64() > Some(1) && one["failure"] != "")
            && all(&found, "NOTIFICATION_STATUS_PENDING")
    })
    .await;
    server.restart().await.expect("restarted");
    until("it is sent", async || all(&listed(&app, "").await, "NOTIFICATION_STATUS_SENT")).await;
    assert_eq!(mail::to(&access.url(), "ayesha@mart.example").await.expect("mails").len(), 1);
}

#[tokio::test]
async fn a_mail_server_that_never_responds_times_out() {
    let access = free_access();
    let silent = tokio::net::TcpListener::bind(("127.0.0.1", access.smtp)).await.expect("bound");
    let app = notification(access, &[("SEND_TIMEOUT", "300ms")]).await;
    app.publish(&placed("ayesha@example.com", "en")).await;
    // The connections stay open until the end of the test, so that the client has to time out.
    let mut held = Vec::new();
    for _ in 0..2 {
        let accepted = tokio::time::timeout(Duration::from_mins(5), silent.accept()).await;
        held.push(accepted.expect("an attempt").expect("connected"));
    }
    drop(silent);
    let server = server(access).await;
    until("it is sent", async || {
        let found = listed(&app, "").await;
        found.len() == 1 && all(&found, "NOTIFICATION_STATUS_SENT")
    })
    .await;
    drop((server, held));
}

/// A killed service leaves claimed messages. A mail that the server accepted but whose result was not stored is sent again with the
/// same `Message-ID`.
#[tokio::test]
async fn no_mail_is_lost_when_the_service_is_killed() {
    const ORDERS: usize = 150;
    let access = free_access();
    let _server = server(access).await;
    let mut app = notification(access, &[("SEND_TIMEOUT", "5s")]).await;
    let events: Vec<TestEvent> = (0..ORDERS).map(|nth| placed(&format!("c{nth}@mart.example"), "en")).collect();
    let mut sent = 0;
    for part in events.chunks(ORDERS / 5) {
        app.publish_all(part).await;
        // The service is killed while it sends.
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
