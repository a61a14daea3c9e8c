//! A Stripe that takes no money.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{By, Callback};
use crate::sandbox::{Action, Kind, Now, Refused};

/// Where the pages of its sessions would be.
const PAGES: &str = "https://checkout.stripe.example/";

/// What it knows.
#[derive(Debug, Default)]
struct Known {
    sessions: BTreeMap<String, Value>,
    refunds: BTreeMap<String, Value>,
    /// The form and the answer of every idempotency key.
    keys: HashMap<String, (Vec<(String, String)>, Value)>,
    /// What was said last of each session.
    said: BTreeMap<String, String>,
    events: u64,
    /// How often it still answers with 500 to who opens a session for an order.
    failing: HashMap<String, u32>,
    /// What becomes of the refunds of a session, where that is not "succeeded".
    refunding: HashMap<String, String>,
}

impl Known {
    /// Says something of a session's, as an event of its own.
    fn say(&mut self, session: &str, kind: &str, object: &Value) -> String {
        self.events += 1;
        let id = format!("evt_{}", self.events);
        let body = json!({ "id": id, "object": "event", "type": kind, "data": { "object": object } }).to_string();
        self.said.insert(session.to_owned(), body.clone());
        body
    }
}

/// A Stripe that takes no money. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct FakeStripe(Arc<Mutex<Known>>);

type Answer = (StatusCode, Json<Value>);

fn refused(message: &str) -> Answer {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": { "type": "invalid_request_error", "message": message } })))
}

impl FakeStripe {
    /// What lets somebody in.
    pub const KEY: &str = "sk_test_of_a_test";
    /// What its events are signed with.
    pub const SECRET: &str = "whsec_of_a_test";
    /// The version of its API that it speaks.
    pub const VERSION: &str = "2025-03-31.basil";

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session of a page; `None` where the page is somebody else's.
    pub fn session_of(page: &str) -> Option<&str> {
        page.strip_prefix(PAGES)
    }

    /// Its API, by this clock.
    pub fn routes(&self, now: Now) -> Router {
        Router::new()
            .route("/v1/checkout/sessions", post(open))
            .route("/v1/checkout/sessions/{id}", get(session))
            .route("/v1/checkout/sessions/{id}/expire", post(expire))
            .route("/v1/refunds", get(refunds).post(refund))
            .with_state((self.clone(), now))
    }

    /// Serves it as long as this process runs; what payment has to know of it.
    pub async fn serve(&self) -> Result<Vec<(String, String)>> {
        let url = super::serve(self.routes(Arc::new(OffsetDateTime::now_utc))).await?;
        Ok(super::owned([
            ("STRIPE_URL", &url),
            ("STRIPE_KEY", Self::KEY),
            ("STRIPE_WEBHOOK_SECRETS", Self::SECRET),
            ("SHOP_URL", "http://shop.example"),
        ]))
    }

    /// A customer does something on the page of a session; what Stripe says of it. A card that is declined and a customer who
    /// leaves end nothing.
    pub fn act(&self, id: &str, action: &Action, now: OffsetDateTime) -> Result<Callback, Refused> {
        let mut known = self.known();
        let session = known.sessions.get_mut(id).ok_or(Refused::NotFound)?;
        if session["status"] != "open" || session["expires_at"].as_i64() <= Some(now.unix_timestamp()) {
            return Err(Refused::Conflict(format!("the session is {}", session["status"])));
        }
        let (kind, object) = match action.action {
            Kind::Pay => {
                session["status"] = json!("complete");
                session["payment_status"] = json!("paid");
                session["payment_intent"] = json!(format!("pi_{id}"));
                if let Some(amount) = &action.amount {
                    session["amount_total"] = json!(amount.replace('.', "").parse::<i64>().unwrap_or_default());
                }
                if let Some(currency) = &action.currency_code {
                    session["currency"] = json!(currency.to_lowercase());
                }
                ("checkout.session.completed", session.clone())
            }
            Kind::Decline | Kind::Leave => {
                ("payment_intent.payment_failed", json!({ "id": format!("pi_{id}"), "object": "payment_intent" }))
            }
        };
        let body = known.say(id, kind, &object);
        let calls = if action.action == Kind::Leave { 0 } else { action.calls.unwrap_or(1) };
        Ok(Callback { by: By::Stripe, body, calls, delay_ms: action.delay_ms })
    }

    /// What was said last of a session, said again.
    pub fn again(&self, id: &str) -> Option<Callback> {
        let body = self.known().said.get(id)?.clone();
        Some(Callback { by: By::Stripe, body, calls: 1, delay_ms: 0 })
    }

    /// From now on answers so often with 500 to who opens a session for an order.
    pub fn fail(&self, order: &str, times: u32) {
        self.known().failing.insert(order.to_owned(), times);
    }

    /// What becomes of the refunds of a session: "succeeded", "pending" or "failed". Of one that is pending it says so.
    pub fn refunds_become(&self, session: &str, status: &str) {
        let mut known = self.known();
        known.refunding.insert(session.to_owned(), status.to_owned());
        let pending = |refund: &&mut Value| refund["metadata"]["checkout"] == session && refund["status"] == "pending";
        let Some(refund) = known.refunds.values_mut().find(pending) else { return };
        refund["status"] = json!(status);
        let refund = refund.clone();
        known.say(session, "refund.updated", &refund);
    }

    /// Somebody sends so many units of a session's money back, at Stripe itself; it says so.
    pub fn refund_there(&self, session: &str, units: i64) {
        let mut known = self.known();
        let (id, currency) = (format!("re_{}", known.refunds.len()), known.sessions[session]["currency"].clone());
        let refund = json!({
            "id": id, "object": "refund", "status": "succeeded", "payment_intent": format!("pi_{session}"), "amount": units,
            "currency": currency, "metadata": {},
        });
        known.refunds.insert(id, refund.clone());
        known.say(session, "refund.created", &refund);
    }

    /// Says what it said last of a session in another event.
    pub fn say_anew(&self, session: &str) {
        let mut known = self.known();
        let Some(said) = known.said.get(session).and_then(|said| serde_json::from_str::<Value>(said).ok()) else {
            return;
        };
        known.say(session, said["type"].as_str().unwrap_or_default(), &said["data"]["object"]);
    }

    /// The customer's bank wants a session's money back; Stripe says so.
    pub fn dispute(&self, session: &str) {
        let mut known = self.known();
        let dispute = json!({
            "id": format!("dp_{session}"), "object": "dispute", "status": "needs_response", "reason": "fraudulent",
            "payment_intent": format!("pi_{session}"), "amount": known.sessions[session]["amount_total"],
            "currency": known.sessions[session]["currency"],
        });
        known.say(session, "charge.dispute.created", &dispute);
    }

    /// Changes members of a session or a refund; how it is then.
    pub fn change(&self, id: &str, change: &Value) -> Option<Value> {
        let mut known = self.known();
        let Known { sessions, refunds, .. } = &mut *known;
        let object = sessions.get_mut(id).or_else(|| refunds.get_mut(id))?;
        for (name, value) in change.as_object()? {
            object[name] = value.clone();
        }
        Some(object.clone())
    }

    /// A session as it is.
    pub fn session(&self, id: &str) -> Option<Value> {
        self.known().sessions.get(id).cloned()
    }

    /// The ids of the refunds that were asked for.
    pub fn refunds(&self) -> Vec<String> {
        self.known().refunds.keys().cloned().collect()
    }

    /// Does something once for a key; the same key with another form is an error.
    fn once(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        make: impl FnOnce(&mut Known, &HashMap<String, String>) -> Result<Value, Answer>,
    ) -> Answer {
        if let Err(refused) = let_in(headers) {
            return refused;
        }
        let Some(key) = headers.get("idempotency-key").and_then(|key| key.to_str().ok()) else {
            return refused("here every request that changes something has a key");
        };
        let form: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        let mut known = self.known();
        if let Some((before, answer)) = known.keys.get(key) {
            return if *before == form {
                (StatusCode::OK, Json(answer.clone()))
            } else {
                refused("the key is of another request")
            };
        }
        match make(&mut known, &form.iter().cloned().collect()) {
            Ok(made) => {
                known.keys.insert(key.to_owned(), (form, made.clone()));
                (StatusCode::OK, Json(made))
            }
            Err(refused) => refused,
        }
    }
}

fn let_in(headers: &HeaderMap) -> Result<(), Answer> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if header("authorization") == format!("Bearer {}", FakeStripe::KEY)
        && header("stripe-version") == FakeStripe::VERSION
    {
        return Ok(());
    }
    Err((StatusCode::UNAUTHORIZED, Json(json!({ "error": { "message": "no such key, or another version" } }))))
}

async fn open(State((stripe, now)): State<(FakeStripe, Now)>, headers: HeaderMap, body: Bytes) -> Answer {
    stripe.once(&headers, &body, |known, form| {
        let of = |name: &str| form.get(name).cloned().unwrap_or_default();
        if let Some(left) = known.failing.get_mut(&of("client_reference_id")).filter(|left| **left > 0) {
            *left -= 1;
            return Err((StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": { "message": "try later" } }))));
        }
        let ends: i64 = of("expires_at").parse().unwrap_or_default();
        if !(1_800..=86_400).contains(&(ends - now().unix_timestamp())) {
            return Err(refused("expires_at must be between 30 minutes and 24 hours from now"));
        }
        let id = format!("cs_{}", known.sessions.len());
        let units: i64 = of("line_items[0][price_data][unit_amount]").parse().unwrap_or_default();
        let session = json!({
            "id": id, "object": "checkout.session", "url": format!("{PAGES}{id}"), "status": "open",
            "payment_status": "unpaid", "amount_total": units, "currency": of("line_items[0][price_data][currency]"),
            "payment_intent": null, "expires_at": ends, "metadata": { "attempt": of("metadata[attempt]") },
        });
        known.sessions.insert(id, session.clone());
        Ok(session)
    })
}

async fn expire(
    State((stripe, _)): State<(FakeStripe, Now)>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    stripe.once(&headers, &body, |known, _| {
        let session = known.sessions.get_mut(&id).ok_or_else(|| refused("no such session"))?;
        if session["status"] != "open" {
            return Err(refused("only open sessions can be expired"));
        }
        session["status"] = json!("expired");
        Ok(session.clone())
    })
}

async fn session(State((stripe, now)): State<(FakeStripe, Now)>, Path(id): Path<String>) -> Answer {
    let mut known = stripe.known();
    let Some(session) = known.sessions.get_mut(&id) else { return refused("no such session") };
    if session["status"] == "open" && session["expires_at"].as_i64() <= Some(now().unix_timestamp()) {
        session["status"] = json!("expired");
    }
    (StatusCode::OK, Json(session.clone()))
}

async fn refunds(
    State((stripe, _)): State<(FakeStripe, Now)>,
    Query(asked): Query<HashMap<String, String>>,
) -> Json<Value> {
    let of = |refund: &&Value| refund["payment_intent"].as_str() == asked.get("payment_intent").map(String::as_str);
    Json(json!({ "data": stripe.known().refunds.values().filter(of).collect::<Vec<_>>(), "has_more": false }))
}

async fn refund(State((stripe, _)): State<(FakeStripe, Now)>, headers: HeaderMap, body: Bytes) -> Answer {
    stripe.once(&headers, &body, |known, form| {
        let of = |name: &str| form.get(name).cloned().unwrap_or_default();
        let (intent, checkout) = (of("payment_intent"), of("metadata[checkout]"));
        let amount = of("amount").parse::<i64>().unwrap_or_default();
        let units = |value: &Value| value.as_i64().unwrap_or_default();
        let paid = known.sessions.values().find(|session| session["payment_intent"] == intent.as_str());
        let paid = paid.map(|session| units(&session["amount_total"])).ok_or_else(|| refused("no such payment"))?;
        let mine = known.refunds.values();
        let mine = mine.filter(|refund| refund["payment_intent"] == intent.as_str() && refund["status"] != "failed");
        if amount + mine.map(|refund| units(&refund["amount"])).sum::<i64>() > paid {
            return Err(refused("the refund is greater than what is left of the payment"));
        }
        let id = format!("re_{}", known.refunds.len());
        let status = known.refunding.get(&checkout).map_or("succeeded", String::as_str);
        let refund = json!({
            "id": id, "object": "refund", "status": status, "payment_intent": intent, "amount": amount,
            "failure_reason": (status == "failed").then_some("lost_or_stolen_card"),
            "metadata": { "checkout": checkout, "refund": of("metadata[refund]") },
        });
        known.refunds.insert(id, refund.clone());
        Ok(refund)
    })
}
