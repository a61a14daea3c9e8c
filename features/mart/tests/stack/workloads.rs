//! The workloads of customers and admins while services are killed. Each step is retried until it is done.

use std::time::Duration;

use devstack::mail;
use devstack::providers::{Callback, FakeStripe};
use mart_chassis::sql;
use serde_json::json;
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::stack::Stack;

const PASSWORD: &str = "correct horse battery";

/// A workload and its progress.
#[derive(Debug)]
pub(crate) enum Workload {
    /// A customer orders two units of a product and pays for them, or does not.
    Order { product: String, key: String, order: String, stage: Stage, pays: Pays },
    /// A customer cancels an order.
    Cancel { order: String, done: bool },
    /// The deadline of an order or of its reservation passes.
    Expire { order: String, deadline: Deadline, done: bool },
    /// An admin ships and delivers a paid order.
    Fulfil { order: String, steps: &'static [&'static str] },
    /// An admin creates a product.
    Product { name: String, product: String },
    /// A customer registers, verifies the email address by the link in the mail, and logs in.
    Customer { email: String, stage: Registration },
}

/// Whether a customer pays for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pays {
    /// The customer pays, and the provider sends its webhook event.
    Yes,
    /// The customer pays, and the webhook event is lost.
    WebhookLost,
    /// The customer does not pay.
    No,
}

/// A deadline: its service, and the statement that sets the one of an order to now unless it does not apply any more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(&'static str, fn(&str) -> Query<'_, Postgres, PgArguments>);

/// The payment deadline of an order.
pub(crate) const PAYMENT_DEADLINE: Deadline = Deadline("order", |order| {
    sql!(
        "update orders set payment_deadline = now() where order_id = $order_id::uuid and payment_deadline is not null",
        order_id = order,
    )
});

/// The expiry of a reservation.
pub(crate) const RESERVATION_EXPIRY: Deadline = Deadline("inventory", |order| {
    sql!(
        "update reservation set expires_at = now() where order_id = $order_id::uuid and expires_at is not null",
        order_id = order,
    )
});

/// The progress of an order.
#[derive(Debug)]
pub(crate) enum Stage {
    New,
    Placed,
    /// The checkout session is open.
    Open(String),
    /// The session is paid; its webhook event is not received yet.
    Paid(Callback),
    Done,
}

/// The progress of a customer.
#[derive(Debug)]
pub(crate) enum Registration {
    New,
    Registered,
    Verified,
    LoggedIn,
}

impl Workload {
    pub(crate) fn order(product: &str, pays: Pays) -> Self {
        let (product, key) = (product.to_owned(), Uuid::new_v4().to_string());
        Self::Order { product, key, order: String::new(), stage: Stage::New, pays }
    }

    pub(crate) fn payment(order: &str) -> Self {
        let (product, key, order) = (String::new(), String::new(), order.to_owned());
        Self::Order { product, key, order, stage: Stage::Placed, pays: Pays::Yes }
    }

    pub(crate) fn expire(order: &str, deadline: Deadline) -> Self {
        Self::Expire { order: order.to_owned(), deadline, done: false }
    }

    pub(crate) fn cancel(order: &str) -> Self {
        Self::Cancel { order: order.to_owned(), done: false }
    }

    pub(crate) fn fulfil(order: &str) -> Self {
        Self::Fulfil { order: order.to_owned(), steps: &["ship", "deliver"] }
    }

    pub(crate) fn product(nth: usize) -> Self {
        Self::Product { name: format!("product-{nth}"), product: String::new() }
    }

    pub(crate) fn customer(nth: usize) -> Self {
        Self::Customer { email: format!("customer-{nth}@mart.example"), stage: Registration::New }
    }

    pub(crate) fn is_done(&self) -> bool {
        match self {
            Self::Order { stage, .. } => matches!(stage, Stage::Done),
            Self::Cancel { done, .. } | Self::Expire { done, .. } => *done,
            Self::Fulfil { steps, .. } => steps.is_empty(),
            Self::Product { product, .. } => !product.is_empty(),
            Self::Customer { stage, .. } => matches!(stage, Registration::LoggedIn),
        }
    }

    /// Returns the id of the placed order.
    pub(crate) fn placed(&self) -> Option<String> {
        if let Self::Order { order, .. } = self { Some(order.clone()) } else { None }
    }

    /// Tries the next step.
    pub(crate) async fn step(&mut self, stack: &Stack) {
        match self {
            Self::Order { product, key, order, stage, pays } => buy(stack, product, key, order, stage, *pays).await,
            Self::Cancel { order, done } => *done = *done || transition(stack, "customer", order, "cancel").await,
            Self::Expire { order, deadline, done } => *done = *done || expire(stack, order, *deadline).await,
            Self::Fulfil { order, steps } => {
                if let [step, rest @ ..] = steps
                    && transition(stack, "admin", order, step).await
                {
                    *steps = rest;
                }
            }
            Self::Product { name, product } if product.is_empty() => {
                *product = stack.try_to_create(name).await.unwrap_or_default();
            }
            Self::Product { .. } => {}
            Self::Customer { email, stage } => register(stack, email, stage).await,
        }
    }
}

/// Requests a transition of an order. Returns whether it is done, now or by an attempt whose response was lost.
async fn transition(stack: &Stack, role: &str, order: &str, what: &str) -> bool {
    let body = if what == "ship" { json!({ "carrier": "TCS", "trackingNumber": "77" }) } else { json!({}) };
    let path = format!("/v1/orders/{order}/{what}");
    let answer = stack.post("order", role, &path, &Uuid::new_v4().to_string(), &body).await;
    answer.is_some_and(|(status, body)| status == 200 || body["code"] == "INVALID_ORDER_STATUS")
}

/// Sets a deadline to now. Returns whether that is done or the deadline does not apply any more.
async fn expire(stack: &Stack, order: &str, Deadline(service, expire): Deadline) -> bool {
    let mut database = stack.apps[service].database().await;
    let ended = expire(order).execute(&mut database).await.expect("updated").rows_affected();
    ended > 0 || matches!(stack.status(order).await.as_str(), "confirmed" | "cancelled")
}

async fn buy(stack: &Stack, product: &str, key: &str, order: &mut String, stage: &mut Stage, pays: Pays) {
    match stage {
        Stage::New => {
            if let Some(placed) = stack.try_to_place(product, key, 2).await {
                (*order, *stage) = (placed, if pays == Pays::No { Stage::Done } else { Stage::Placed });
            }
        }
        Stage::Placed => {
            let path = format!("/v1/payments/{order}/attempts");
            match stack.post("payment", "customer", &path, &Uuid::new_v4().to_string(), &json!({})).await {
                Some((200, body)) => {
                    let page = body["attempt"]["checkout"]["url"].as_str().unwrap_or_default();
                    *stage = Stage::Open(FakeStripe::session_of(page).expect("a checkout URL of Stripe").to_owned());
                }
                // The order was cancelled for missing stock.
                Some((409, body)) if body["code"] == "PAYMENT_NOT_PAYABLE" => *stage = Stage::Done,
                // Payment is unavailable or has not received the order yet.
                _ => {}
            }
        }
        Stage::Open(session) => {
            let pay = serde_json::from_value(json!({ "action": "pay" })).expect("an action");
            let callback = stack.stripe.act(session, &pay, OffsetDateTime::now_utc()).expect("paid");
            *stage = if pays == Pays::WebhookLost { Stage::Done } else { Stage::Paid(callback) };
        }
        Stage::Paid(callback) => {
            let app = &stack.apps["payment"];
            let url = app.spec.url();
            let sent = tokio::time::timeout(Duration::from_secs(30), callback.send(&app.client, &url)).await;
            if sent.is_ok_and(|sent| sent.is_ok_and(|answer| answer.status() == 200)) {
                *stage = Stage::Done;
            }
        }
        Stage::Done => {}
    }
}

async fn register(stack: &Stack, email: &str, stage: &mut Registration) {
    let key = Uuid::new_v4().to_string();
    let post = async |path: &str, body: serde_json::Value| stack.post("user", "customer", path, &key, &body).await;
    match stage {
        Registration::New => {
            let body = json!({ "email": email, "password": PASSWORD, "name": "Ayesha" });
            if matches!(post("/v1/users/register", body).await, Some((200, _))) {
                *stage = Registration::Registered;
            }
        }
        Registration::Registered => {
            let mails = mail::to(&stack.mail.access.url(), email).await.expect("mails");
            let text = mails.first().and_then(|mail| mail["text"].as_str()).unwrap_or_default();
            let token = text.split_once("#token=").and_then(|(_, rest)| rest.split_whitespace().next());
            let Some(token) = token else { return };
            let body = json!({ "token": token, "password": PASSWORD });
            // A used link means that an earlier attempt succeeded and its response was lost.
            let verified = |(status, body): (u16, serde_json::Value)| status == 200 || body["code"] == "INVALID_LINK";
            if post("/v1/users/verify-email", body).await.is_some_and(verified) {
                *stage = Registration::Verified;
            }
        }
        Registration::Verified => {
            if matches!(
                post("/v1/sessions/log-in", json!({ "email": email, "password": PASSWORD })).await,
                Some((200, _))
            ) {
                *stage = Registration::LoggedIn;
            }
        }
        Registration::LoggedIn => {}
    }
}
