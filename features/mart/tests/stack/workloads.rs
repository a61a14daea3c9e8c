//! What customers and admins want of a mart whose services are killed: each step is tried again until it is done.

use std::time::Duration;

use devstack::mail;
use devstack::providers::{Callback, FakeStripe};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::stack::Stack;

const PASSWORD: &str = "correct horse battery";

/// Something that somebody wants, and how far it has come.
#[derive(Debug)]
pub(crate) enum Workload {
    /// A customer orders two of a product and pays for them, or does not.
    Order { product: String, key: String, order: String, stage: Stage, pays: Pays },
    /// A customer cancels an order.
    Cancel { order: String, done: bool },
    /// The time of an order, or of its goods, is up.
    Expire { order: String, due: Due, done: bool },
    /// An admin sends a paid order, and it arrives.
    Send { order: String, steps: &'static [&'static str] },
    /// An admin creates a product.
    Product { name: String, product: String },
    /// Somebody registers, proves the mailbox by the link in the mail, and logs in.
    Customer { email: String, stage: Joining },
}

/// Whether a customer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pays {
    /// He does, and the provider says so.
    Yes,
    /// He does, and what the provider says is lost.
    Unheard,
    /// He does not.
    No,
}

/// What has an end: its service, and how that end is set to now where it is still waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due(&'static str, &'static str);

/// An order that waits for its money.
pub(crate) const MONEY: Due = Due(
    "order",
    "update orders set payment_deadline = now() where order_id = $1::uuid and payment_deadline is not null",
);

/// Goods that are kept for an order.
pub(crate) const GOODS: Due =
    Due("inventory", "update reservation set expires_at = now() where order_id = $1::uuid and expires_at is not null");

/// How far an order has come.
#[derive(Debug)]
pub(crate) enum Stage {
    Wanted,
    Placed,
    /// Its page is there.
    Open(String),
    /// It is paid there, and payment has to hear of it.
    Paid(Callback),
    Done,
}

/// How far a customer has come.
#[derive(Debug)]
pub(crate) enum Joining {
    Wanted,
    Registered,
    Proved,
    In,
}

impl Workload {
    pub(crate) fn order(product: &str, pays: Pays) -> Self {
        let (product, key) = (product.to_owned(), Uuid::new_v4().to_string());
        Self::Order { product, key, order: String::new(), stage: Stage::Wanted, pays }
    }

    pub(crate) fn paying(order: &str) -> Self {
        let (product, key, order) = (String::new(), String::new(), order.to_owned());
        Self::Order { product, key, order, stage: Stage::Placed, pays: Pays::Yes }
    }

    pub(crate) fn expire(order: &str, due: Due) -> Self {
        Self::Expire { order: order.to_owned(), due, done: false }
    }

    pub(crate) fn cancel(order: &str) -> Self {
        Self::Cancel { order: order.to_owned(), done: false }
    }

    pub(crate) fn send(order: &str) -> Self {
        Self::Send { order: order.to_owned(), steps: &["ship", "deliver"] }
    }

    pub(crate) fn product(nth: usize) -> Self {
        Self::Product { name: format!("product-{nth}"), product: String::new() }
    }

    pub(crate) fn customer(nth: usize) -> Self {
        Self::Customer { email: format!("customer-{nth}@mart.example"), stage: Joining::Wanted }
    }

    pub(crate) fn is_done(&self) -> bool {
        match self {
            Self::Order { stage, .. } => matches!(stage, Stage::Done),
            Self::Cancel { done, .. } | Self::Expire { done, .. } => *done,
            Self::Send { steps, .. } => steps.is_empty(),
            Self::Product { product, .. } => !product.is_empty(),
            Self::Customer { stage, .. } => matches!(stage, Joining::In),
        }
    }

    /// The order that was placed.
    pub(crate) fn placed(&self) -> Option<String> {
        if let Self::Order { order, .. } = self { Some(order.clone()) } else { None }
    }

    /// Tries the next step once.
    pub(crate) async fn step(&mut self, stack: &Stack) {
        match self {
            Self::Order { product, key, order, stage, pays } => buy(stack, product, key, order, stage, *pays).await,
            Self::Cancel { order, done } => *done = *done || did(stack, "customer", order, "cancel").await,
            Self::Expire { order, due, done } => *done = *done || expired(stack, order, *due).await,
            Self::Send { order, steps } => {
                if let [step, rest @ ..] = steps
                    && did(stack, "admin", order, step).await
                {
                    *steps = rest;
                }
            }
            Self::Product { name, product } if product.is_empty() => {
                *product = stack.try_to_create(name).await.unwrap_or_default();
            }
            Self::Product { .. } => {}
            Self::Customer { email, stage } => join(stack, email, stage).await,
        }
    }
}

/// Does something to an order; whether it is done, now or by a try whose answer was lost.
async fn did(stack: &Stack, role: &str, order: &str, what: &str) -> bool {
    let body = if what == "ship" { json!({ "carrier": "TCS", "trackingNumber": "77" }) } else { json!({}) };
    let path = format!("/v1/orders/{order}/{what}");
    let answer = stack.ask("order", role, &path, &Uuid::new_v4().to_string(), &body).await;
    answer.is_some_and(|(status, told)| status == 200 || told["code"] == "INVALID_ORDER_STATUS")
}

/// Whether something was still waited for, whose end is now, or is waited for no more.
async fn expired(stack: &Stack, order: &str, Due(service, sql): Due) -> bool {
    let mut database = stack.apps[service].database().await;
    let ended = sqlx::query(sql).bind(order).execute(&mut database).await.expect("asked").rows_affected();
    ended > 0 || matches!(stack.status(order).await.as_str(), "confirmed" | "cancelled")
}

async fn buy(stack: &Stack, product: &str, key: &str, order: &mut String, stage: &mut Stage, pays: Pays) {
    match stage {
        Stage::Wanted => {
            if let Some(placed) = stack.try_to_place(product, key, 2).await {
                (*order, *stage) = (placed, if pays == Pays::No { Stage::Done } else { Stage::Placed });
            }
        }
        Stage::Placed => {
            let path = format!("/v1/payments/{order}/attempts");
            match stack.ask("payment", "customer", &path, &Uuid::new_v4().to_string(), &json!({})).await {
                Some((200, told)) => {
                    let page = told["attempt"]["checkout"]["url"].as_str().unwrap_or_default();
                    *stage = Stage::Open(FakeStripe::session_of(page).expect("a page of Stripe's").to_owned());
                }
                // There were not enough.
                Some((409, told)) if told["code"] == "PAYMENT_NOT_PAYABLE" => *stage = Stage::Done,
                // It has not heard of the order yet, or is not there.
                _ => {}
            }
        }
        Stage::Open(session) => {
            let pay = serde_json::from_value(json!({ "action": "pay" })).expect("an action");
            let said = stack.stripe.act(session, &pay, OffsetDateTime::now_utc()).expect("paid");
            *stage = if pays == Pays::Unheard { Stage::Done } else { Stage::Paid(said) };
        }
        Stage::Paid(said) => {
            let app = &stack.apps["payment"];
            let url = app.spec.url();
            let sent = tokio::time::timeout(Duration::from_secs(30), said.send(&app.client, &url)).await;
            if sent.is_ok_and(|sent| sent.is_ok_and(|answer| answer.status() == 200)) {
                *stage = Stage::Done;
            }
        }
        Stage::Done => {}
    }
}

async fn join(stack: &Stack, email: &str, stage: &mut Joining) {
    let key = Uuid::new_v4().to_string();
    let ask = async |path: &str, body: serde_json::Value| stack.ask("user", "customer", path, &key, &body).await;
    match stage {
        Joining::Wanted => {
            let body = json!({ "email": email, "password": PASSWORD, "name": "Ayesha" });
            if matches!(ask("/v1/users/register", body).await, Some((200, _))) {
                *stage = Joining::Registered;
            }
        }
        Joining::Registered => {
            let mails = mail::to(&stack.mail.access.url(), email).await.expect("mails");
            let text = mails.first().and_then(|mail| mail["text"].as_str()).unwrap_or_default();
            let token = text.split_once("#token=").and_then(|(_, rest)| rest.split_whitespace().next());
            let Some(token) = token else { return };
            let body = json!({ "token": token, "password": PASSWORD });
            // A link that is used up says that it was proved before an answer could come.
            let proved = |(status, told): (u16, serde_json::Value)| status == 200 || told["code"] == "INVALID_LINK";
            if ask("/v1/users/verify-email", body).await.is_some_and(proved) {
                *stage = Joining::Proved;
            }
        }
        Joining::Proved => {
            if matches!(
                ask("/v1/sessions/log-in", json!({ "email": email, "password": PASSWORD })).await,
                Some((200, _))
            ) {
                *stage = Joining::In;
            }
        }
        Joining::In => {}
    }
}
