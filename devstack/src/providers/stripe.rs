//! A fake Stripe.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::body::Bytes;
use axum::extract::{self, Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{Callback, Sender};
use crate::sandbox::{Action, ActionError, ActionKind, Now};

/// The base URL of the checkout pages. They do not exist.
const PAGES: &str = "https://checkout.stripe.example/";

#[derive(Debug, Default)]
struct State {
    sessions: BTreeMap<String, Value>,
    refunds: BTreeMap<String, Value>,
    /// The form and the response of every idempotency key.
    keys: HashMap<String, (Vec<(String, String)>, Value)>,
    /// The last event of each session.
    last_events: BTreeMap<String, String>,
    event_count: u64,
    /// The number of requests for a session of an order that will still fail with status 500.
    failing: HashMap<String, u32>,
    /// The status of the refunds of a session, if it is not "succeeded".
    refund_statuses: HashMap<String, String>,
}

impl State {
    /// Creates an event of a session and returns its body.
    fn create_event(&mut self, session: &str, event_type: &str, object: &Value) -> String {
        self.event_count += 1;
        let id = format!("evt_{}", self.event_count);
        let body = json!({ "id": id, "object": "event", "type": event_type, "data": { "object": object } }).to_string();
        self.last_events.insert(session.to_owned(), body.clone());
        body
    }
}

/// A fake Stripe, which takes no money. Clones share their state.
#[derive(Debug, Clone, Default)]
pub struct FakeStripe(Arc<Mutex<State>>);

type ApiResponse = (StatusCode, Json<Value>);

fn invalid_request(message: &str) -> ApiResponse {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": { "type": "invalid_request_error", "message": message } })))
}

impl FakeStripe {
    /// The API key.
    pub const KEY: &str = "sk_test_of_a_test";
    /// The secret that signs webhooks.
    pub const SECRET: &str = "whsec_of_a_test";
    /// The API version.
    pub const VERSION: &str = "2025-03-31.basil";

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the session of a checkout page, or `None` if the page is not Stripe's.
    pub fn session_of(page: &str) -> Option<&str> {
        page.strip_prefix(PAGES)
    }

    /// Returns the routes of the API. They use this clock.
    pub fn routes(&self, now: Now) -> Router {
        Router::new()
            .route("/v1/checkout/sessions", post(open))
            .route("/v1/checkout/sessions/{id}", get(session))
            .route("/v1/checkout/sessions/{id}/expire", post(expire))
            .route("/v1/refunds", get(refunds).post(refund))
            .with_state((self.clone(), now))
    }

    /// Serves the API until the process ends. Returns the environment variables of the payment service.
    pub async fn serve(&self) -> Result<Vec<(String, String)>> {
        let url = super::serve(self.routes(Arc::new(OffsetDateTime::now_utc))).await?;
        Ok(super::owned([
            ("STRIPE_URL", &url),
            ("STRIPE_KEY", Self::KEY),
            ("STRIPE_WEBHOOK_SECRETS", Self::SECRET),
            ("SHOP_URL", "http://shop.example"),
        ]))
    }

    /// Performs an action of the customer on the page of a session. Returns the webhook. The session stays open if the card is
    /// declined or the customer leaves.
    pub fn act(&self, id: &str, action: &Action, now: OffsetDateTime) -> Result<Callback, ActionError> {
        let mut state = self.state();
        let session = state.sessions.get_mut(id).ok_or(ActionError::NotFound)?;
        if session["status"] != "open" || session["expires_at"].as_i64() <= Some(now.unix_timestamp()) {
            return Err(ActionError::Conflict(format!("the session is {}", session["status"])));
        }
        let (event_type, object) = match action.action {
            ActionKind::Pay => {
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
            ActionKind::Decline | ActionKind::Leave => {
                ("payment_intent.payment_failed", json!({ "id": format!("pi_{id}"), "object": "payment_intent" }))
            }
        };
        let body = state.create_event(id, event_type, &object);
        let calls = if action.action == ActionKind::Leave { 0 } else { action.calls.unwrap_or(1) };
        Ok(Callback { sender: Sender::Stripe, body, calls, delay_ms: action.delay_ms })
    }

    /// Returns the last event of a session, to be sent again.
    pub fn resend(&self, id: &str) -> Option<Callback> {
        let body = self.state().last_events.get(id)?.clone();
        Some(Callback { sender: Sender::Stripe, body, calls: 1, delay_ms: 0 })
    }

    /// Makes the next requests for a session of an order fail with status 500.
    pub fn fail(&self, order: &str, times: u32) {
        self.state().failing.insert(order.to_owned(), times);
    }

    /// Sets the status of a session's refunds: "succeeded", "pending" or "failed". Creates an event if a refund was pending.
    pub fn set_refund_status(&self, session: &str, status: &str) {
        let mut state = self.state();
        state.refund_statuses.insert(session.to_owned(), status.to_owned());
        let pending = |refund: &&mut Value| refund["metadata"]["checkout"] == session && refund["status"] == "pending";
        let Some(refund) = state.refunds.values_mut().find(pending) else { return };
        refund["status"] = json!(status);
        let refund = refund.clone();
        state.create_event(session, "refund.updated", &refund);
    }

    /// Refunds an amount in minor units without a request of payment, as in Stripe's dashboard. Creates an event.
    pub fn refund_externally(&self, session: &str, units: i64) {
        let mut state = self.state();
        let (id, currency) = (format!("re_{}", state.refunds.len()), state.sessions[session]["currency"].clone());
        let refund = json!({
            "id": id, "object": "refund", "status": "succeeded", "payment_intent": format!("pi_{session}"), "amount": units,
            "currency": currency, "metadata": {},
        });
        state.refunds.insert(id, refund.clone());
        state.create_event(session, "refund.created", &refund);
    }

    /// Creates a new event with the content of a session's last event.
    pub fn resend_as_new_event(&self, session: &str) {
        let mut state = self.state();
        let last = state.last_events.get(session).and_then(|event| serde_json::from_str::<Value>(event).ok());
        let Some(last) = last else { return };
        state.create_event(session, last["type"].as_str().unwrap_or_default(), &last["data"]["object"]);
    }

    /// Opens a dispute of the customer's bank about a session's payment. Creates an event.
    pub fn dispute(&self, session: &str) {
        let mut state = self.state();
        let dispute = json!({
            "id": format!("dp_{session}"), "object": "dispute", "status": "needs_response", "reason": "fraudulent",
            "payment_intent": format!("pi_{session}"), "amount": state.sessions[session]["amount_total"],
            "currency": state.sessions[session]["currency"],
        });
        state.create_event(session, "charge.dispute.created", &dispute);
    }

    /// Changes members of a session or a refund. Returns the changed object.
    pub fn change(&self, id: &str, change: &Value) -> Option<Value> {
        let mut state = self.state();
        let State { sessions, refunds, .. } = &mut *state;
        let object = sessions.get_mut(id).or_else(|| refunds.get_mut(id))?;
        for (name, value) in change.as_object()? {
            object[name] = value.clone();
        }
        Some(object.clone())
    }

    /// Returns a session.
    pub fn session(&self, id: &str) -> Option<Value> {
        self.state().sessions.get(id).cloned()
    }

    /// Returns the ids of the refunds.
    pub fn refunds(&self) -> Vec<String> {
        self.state().refunds.keys().cloned().collect()
    }

    /// Executes a request once per idempotency key. The same key with another form is an error.
    fn idempotent(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        execute: impl FnOnce(&mut State, &HashMap<String, String>) -> Result<Value, ApiResponse>,
    ) -> ApiResponse {
        if let Err(response) = authorize(headers) {
            return response;
        }
        let Some(key) = headers.get("idempotency-key").and_then(|key| key.to_str().ok()) else {
            return invalid_request("this fake requires an idempotency key");
        };
        let form: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        let mut state = self.state();
        if let Some((before, object)) = state.keys.get(key) {
            return if *before == form {
                (StatusCode::OK, Json(object.clone()))
            } else {
                invalid_request("the idempotency key was used with another request")
            };
        }
        match execute(&mut state, &form.iter().cloned().collect()) {
            Ok(object) => {
                state.keys.insert(key.to_owned(), (form, object.clone()));
                (StatusCode::OK, Json(object))
            }
            Err(response) => response,
        }
    }
}

fn authorize(headers: &HeaderMap) -> Result<(), ApiResponse> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if header("authorization") == format!("Bearer {}", FakeStripe::KEY)
        && header("stripe-version") == FakeStripe::VERSION
    {
        return Ok(());
    }
    Err((StatusCode::UNAUTHORIZED, Json(json!({ "error": { "message": "invalid API key or version" } }))))
}

async fn open(
    extract::State((stripe, now)): extract::State<(FakeStripe, Now)>,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResponse {
    stripe.idempotent(&headers, &body, |state, form| {
        let of = |name: &str| form.get(name).cloned().unwrap_or_default();
        if let Some(left) = state.failing.get_mut(&of("client_reference_id")).filter(|left| **left > 0) {
            *left -= 1;
            return Err((StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": { "message": "try later" } }))));
        }
        let ends: i64 = of("expires_at").parse().unwrap_or_default();
        if !(1_800..=86_400).contains(&(ends - now().unix_timestamp())) {
            return Err(invalid_request("expires_at must be between 30 minutes and 24 hours from now"));
        }
        let id = format!("cs_{}", state.sessions.len());
        let units: i64 = of("line_items[0][price_data][unit_amount]").parse().unwrap_or_default();
        let session = json!({
            "id": id, "object": "checkout.session", "url": format!("{PAGES}{id}"), "status": "open",
            "payment_status": "unpaid", "amount_total": units, "currency": of("line_items[0][price_data][currency]"),
            "payment_intent": null, "expires_at": ends, "metadata": { "attempt": of("metadata[attempt]") },
        });
        state.sessions.insert(id, session.clone());
        Ok(session)
    })
}

async fn expire(
    extract::State((stripe, _)): extract::State<(FakeStripe, Now)>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResponse {
    stripe.idempotent(&headers, &body, |state, _| {
        let session = state.sessions.get_mut(&id).ok_or_else(|| invalid_request("no such session"))?;
        if session["status"] != "open" {
            return Err(invalid_request("only open sessions can be expired"));
        }
        session["status"] = json!("expired");
        Ok(session.clone())
    })
}

async fn session(
    extract::State((stripe, now)): extract::State<(FakeStripe, Now)>,
    Path(id): Path<String>,
) -> ApiResponse {
    let mut state = stripe.state();
    let Some(session) = state.sessions.get_mut(&id) else { return invalid_request("no such session") };
    if session["status"] == "open" && session["expires_at"].as_i64() <= Some(now().unix_timestamp()) {
        session["status"] = json!("expired");
    }
    (StatusCode::OK, Json(session.clone()))
}

async fn refunds(
    extract::State((stripe, _)): extract::State<(FakeStripe, Now)>,
    Query(query): Query<HashMap<String, String>>,
) -> Json<Value> {
    let of = |refund: &&Value| refund["payment_intent"].as_str() == query.get("payment_intent").map(String::as_str);
    Json(json!({ "data": stripe.state().refunds.values().filter(of).collect::<Vec<_>>(), "has_more": false }))
}

async fn refund(
    extract::State((stripe, _)): extract::State<(FakeStripe, Now)>,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResponse {
    stripe.idempotent(&headers, &body, |state, form| {
        let of = |name: &str| form.get(name).cloned().unwrap_or_default();
        let (intent, checkout) = (of("payment_intent"), of("metadata[checkout]"));
        let amount = of("amount").parse::<i64>().unwrap_or_default();
        let units = |value: &Value| value.as_i64().unwrap_or_default();
        let paid = state.sessions.values().find(|session| session["payment_intent"] == intent.as_str());
        let paid = paid.map(|session| units(&session["amount_total"]));
        let paid = paid.ok_or_else(|| invalid_request("no such payment"))?;
        let others = state.refunds.values();
        let others =
            others.filter(|refund| refund["payment_intent"] == intent.as_str() && refund["status"] != "failed");
        if amount + others.map(|refund| units(&refund["amount"])).sum::<i64>() > paid {
            return Err(invalid_request("the refund exceeds the remaining amount of the payment"));
        }
        let id = format!("re_{}", state.refunds.len());
        let status = state.refund_statuses.get(&checkout).map_or("succeeded", String::as_str);
        let refund = json!({
            "id": id, "object": "refund", "status": status, "payment_intent": intent, "amount": amount,
            "failure_reason": (status == "failed").then_some("lost_or_stolen_card"),
            "metadata": { "checkout": checkout, "refund": of("metadata[refund]") },
        });
        state.refunds.insert(id, refund.clone());
        Ok(refund)
    })
}
