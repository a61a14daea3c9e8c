//! Tests with a fake of Twilio's Messages endpoint.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use devstack::testing::{App, Servers, TestEvent, until};
use mart_proto::order::v1::{Contact, Order, OrderShipped, Shipment};
use prost::Message;
use reqwest::Url;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::PROGRAM;
use crate::mails::listed;

const ACCOUNT: &str = "AC0123";
/// Basic authentication with `AC0123:t0k3n`.
const BASIC: &str = "Basic QUMwMTIzOnQwazNu";

/// The received forms by their recipient.
type Forms = Arc<Mutex<BTreeMap<String, Vec<BTreeMap<String, String>>>>>;

/// Returns an error as in Twilio's documentation: code, message, URL of a page about it, and status.
fn error(status: u16, code: u32, message: &str) -> (StatusCode, Json<Value>) {
    let body =
        json!({ "code": code, "message": message, "more_info": "https://www.twilio.com/docs", "status": status });
    (StatusCode::from_u16(status).expect("a status"), Json(body))
}

async fn messages(
    State(forms): State<Forms>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, Json<Value>) {
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if (account.as_str(), authorization) != (ACCOUNT, BASIC) {
        return error(401, 20003, "Authenticate");
    }
    // A form has the encoding of a query.
    let form: Url = format!("http://form.example/?{body}").parse().expect("a form");
    let form: BTreeMap<String, String> = form.query_pairs().into_owned().collect();
    let to = form.get("To").cloned().unwrap_or_default();
    let mut forms = forms.lock().unwrap_or_else(PoisonError::into_inner);
    let received = forms.entry(to.clone()).or_default();
    received.push(form);
    match (to.as_str(), received.len()) {
        ("+923001110002", 1) => error(429, 20429, "Too Many Requests"),
        ("+923001110003", _) => error(400, 21211, "Invalid 'To' Phone Number"),
        ("+923001110005", 1) => error(400, 21606, "The From phone number is not a valid, message-capable number"),
        ("+923001110004", 1) => error(503, 20503, "Service unavailable"),
        _ => (StatusCode::CREATED, Json(json!({ "sid": format!("SM{}", received.len()), "status": "queued" }))),
    }
}

/// Starts the fake. Returns its URL and the received forms.
async fn twilio() -> (String, Forms) {
    let forms = Forms::default();
    let path = "/2010-04-01/Accounts/{account}/Messages.json";
    let routes = Router::new().route(path, post(messages)).with_state(forms.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (format!("http://{address}"), forms)
}

async fn notification(url: &str, token: &str) -> App {
    let mut spec = Servers::from_env().service("notification", PROGRAM).await.expect("prepared");
    spec.more = [
        ("SMS_PROVIDER", "twilio"),
        ("TWILIO_URL", url),
        ("TWILIO_ACCOUNT_SID", ACCOUNT),
        ("TWILIO_AUTH_TOKEN", token),
        ("TWILIO_FROM", "+15005550006"),
        ("SEND_INTERVAL", "100ms"),
        ("SEND_BACKOFF", "200ms"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    App::of_consumer(spec, &["mart.order.v1"]).await
}

/// Returns an `OrderShipped` event of an order with this phone number.
fn shipped(phone: &str) -> TestEvent {
    let order = Uuid::new_v4().to_string();
    let shipped = Order {
        order_id: order.clone(),
        customer_id: "ayesha".to_owned(),
        contact: Some(Contact { phone: phone.to_owned(), ..Contact::default() }),
        shipment: Some(Shipment { carrier: "TCS".to_owned(), tracking_number: "77 & more".to_owned() }),
        ..Order::default()
    };
    let payload = OrderShipped { order: Some(shipped) }.encode_to_vec();
    TestEvent::new("mart.order.v1", "mart.order.v1.OrderShipped", payload).about(&order, 1)
}

#[tokio::test]
async fn twilio_responses_map_to_sent_retried_or_failed() {
    let (url, forms) = twilio().await;
    let app = notification(&url, "t0k3n").await;
    let phones = ["+923001110001", "+923001110002", "+923001110003", "+923001110004", "+923001110005"];
    app.publish_all(&phones.map(shipped)).await;
    for (phone, status, attempts, text) in [
        (phones[0], "SENT", 1, "SM1"),
        (phones[1], "SENT", 2, "SM2"),
        (phones[2], "FAILED", 1, "21211"),
        (phones[3], "SENT", 2, "SM2"),
        (phones[4], "SENT", 2, "SM2"),
    ] {
        let filter = format!("recipient=%2B{}", &phone[1..]);
        let status = format!("NOTIFICATION_STATUS_{status}");
        until("it has its final status", async || {
            listed(&app, &filter).await.iter().any(|one| one["status"] == status.as_str())
        })
        .await;
        let found = listed(&app, &filter).await;
        assert_eq!((found.len(), found[0]["attempts"].as_i64()), (1, Some(attempts)), "{found:?}");
        assert!(found[0].to_string().contains(text), "{found:?}");
        let forms = forms.lock().unwrap_or_else(PoisonError::into_inner)[phone].clone();
        assert_eq!(i64::try_from(forms.len()).ok(), Some(attempts));
        let form = &forms[0];
        assert_eq!((form["To"].as_str(), form["From"].as_str(), form.len()), (phone, "+15005550006", 3), "{form:?}");
        assert!(form["Body"].contains("77 & more"), "{form:?}");
    }
}

#[tokio::test]
async fn a_message_of_an_unknown_twilio_account_is_retried() {
    let (url, forms) = twilio().await;
    let app = notification(&url, "another").await;
    app.publish(&shipped("+923001110001")).await;
    until("it has been retried", async || {
        listed(&app, "").await.iter().any(|one| {
            let failure = one["failure"].as_str().unwrap_or_default();
            one["attempts"].as_i64() > Some(1) && failure.contains("20003") && !failure.contains("another")
        })
    })
    .await;
    assert!(listed(&app, "status=NOTIFICATION_STATUS_PENDING").await.len() == 1);
    assert!(forms.lock().unwrap_or_else(PoisonError::into_inner).is_empty());
}
