//! A fake PayFast.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Form, Json, Router, extract};
use form_urlencoded::Serializer;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Callback, Sender};
use crate::sandbox::{Action, ActionError, ActionKind};

#[derive(Debug, Default)]
struct State {
    /// The amount of each basket that has a token.
    baskets: BTreeMap<String, String>,
    /// The last webhook of each basket.
    webhooks: BTreeMap<String, String>,
    transactions: u64,
    paid: Vec<String>,
}

/// A fake PayFast, which takes no money. Clones share their state.
#[derive(Debug, Clone, Default)]
pub struct FakePayFast(Arc<Mutex<State>>);

impl FakePayFast {
    /// The merchant's number.
    pub const MERCHANT: &str = "102";
    /// The merchant's secured key.
    pub const KEY: &str = "a-key-of-a-test";

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the routes of the API.
    pub fn routes(&self) -> Router {
        Router::new().route("/Ecommerce/api/Transaction/GetAccessToken", post(token)).with_state(self.clone())
    }

    /// Serves the API until the process ends. Returns the environment variables of the payment service.
    pub async fn serve(&self) -> Result<Vec<(String, String)>> {
        let url = super::serve(self.routes()).await?;
        Ok(super::owned([
            ("PAYFAST_URL", &url),
            ("PAYFAST_MERCHANT_ID", Self::MERCHANT),
            ("PAYFAST_SECURED_KEYS", Self::KEY),
            ("PAYFAST_CALLBACK_URL", "http://api.shop.example/v1/payment-webhooks/payfast"),
            ("SHOP_URL", "http://shop.example"),
        ]))
    }

    /// Returns the baskets that have a token.
    pub fn baskets(&self) -> Vec<String> {
        self.state().baskets.keys().cloned().collect()
    }

    /// Submits the form of a checkout and performs an action of the customer. Returns the webhook.
    pub fn act(&self, form: &HashMap<String, String>, action: &Action) -> Result<Callback, ActionError> {
        let of = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let basket = of("BASKET_ID");
        let mut state = self.state();
        let amount = state.baskets.get(basket).cloned().ok_or(ActionError::NotFound)?;
        if of("TOKEN") != token_of(basket) || of("TXNAMT") != amount || of("MERCHANT_ID") != Self::MERCHANT {
            return Err(ActionError::Conflict("the form does not match its token".to_owned()));
        }
        if state.paid.iter().any(|paid| paid == basket) {
            return Err(ActionError::Conflict("the basket is paid".to_owned()));
        }
        state.transactions += 1;
        let transaction = format!("pf{}", state.transactions);
        let (code, message, calls) = match action.action {
            ActionKind::Pay => ("000", "", action.calls.unwrap_or(1)),
            ActionKind::Decline => ("97", "card declined", action.calls.unwrap_or(1)),
            // PayFast sends no webhook for a customer who leaves.
            ActionKind::Leave => ("", "", 0),
        };
        if code == "000" {
            state.paid.push(basket.to_owned());
        }
        let amount = action.amount.as_deref().unwrap_or(&amount);
        let body = Self::notification(
            basket,
            [code, message, &transaction, amount, action.currency_code.as_deref().unwrap_or("PKR")],
            Self::KEY,
        );
        state.webhooks.insert(basket.to_owned(), body.clone());
        Ok(Callback { sender: Sender::PayFast, body, calls, delay_ms: action.delay_ms })
    }

    /// Returns the last webhook of a basket, to be sent again.
    pub fn resend(&self, basket: &str) -> Option<Callback> {
        let body = self.state().webhooks.get(basket)?.clone();
        Some(Callback { sender: Sender::PayFast, body, calls: 1, delay_ms: 0 })
    }

    /// Returns the body of a webhook about a basket, with this code, message, transaction, amount and currency. The key is part of
    /// its hash.
    pub fn notification(basket: &str, [code, message, transaction, amount, currency]: [&str; 5], key: &str) -> String {
        let digest = Sha256::digest(format!("{basket}|{key}|{}|{code}", Self::MERCHANT));
        let hash = base16ct::lower::encode_string(&digest);
        let fields = [
            ("err_code", code),
            ("err_msg", message),
            ("basket_id", basket),
            ("transaction_id", transaction),
            ("validation_hash", &hash),
            ("transaction_amount", amount),
            ("transaction_currency", currency),
        ];
        Serializer::new(String::new()).extend_pairs(fields).finish()
    }
}

fn token_of(basket: &str) -> String {
    format!("for {basket}")
}

async fn token(
    extract::State(payfast): extract::State<FakePayFast>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let of = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let merchant = of("MERCHANT_ID") == FakePayFast::MERCHANT && of("SECURED_KEY") == FakePayFast::KEY;
    if !merchant || of("CURRENCY_CODE") != "PKR" || !headers.contains_key("user-agent") {
        return (
            StatusCode::BAD_REQUEST,
            Json(json!({ "errorDescription": "unknown merchant, or currency is not PKR" })),
        );
    }
    payfast.state().baskets.insert(of("BASKET_ID").to_owned(), of("TXNAMT").to_owned());
    (StatusCode::OK, Json(json!({ "ACCESS_TOKEN": token_of(of("BASKET_ID")) })))
}
