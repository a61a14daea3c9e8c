//! A PayFast that takes no money.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Form, Json, Router};
use form_urlencoded::Serializer;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{By, Callback};
use crate::sandbox::{Action, Kind, Refused};

/// What it knows.
#[derive(Debug, Default)]
struct Known {
    /// The amount of each basket that a token was given for.
    baskets: BTreeMap<String, String>,
    /// What was said last of each basket.
    said: BTreeMap<String, String>,
    transactions: u64,
    paid: Vec<String>,
}

/// A PayFast that takes no money. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct FakePayFast(Arc<Mutex<Known>>);

impl FakePayFast {
    /// The merchant's number.
    pub const MERCHANT: &str = "102";
    /// What proves that it is the merchant.
    pub const KEY: &str = "a-key-of-a-test";

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its API.
    pub fn routes(&self) -> Router {
        Router::new().route("/Ecommerce/api/Transaction/GetAccessToken", post(token)).with_state(self.clone())
    }

    /// Serves it as long as this process runs; what payment has to know of it.
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

    /// The baskets that tokens were given for.
    pub fn baskets(&self) -> Vec<String> {
        self.known().baskets.keys().cloned().collect()
    }

    /// A customer's browser sends a form, and the customer does something; what PayFast says of it.
    pub fn act(&self, form: &HashMap<String, String>, action: &Action) -> Result<Callback, Refused> {
        let of = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let basket = of("BASKET_ID");
        let mut known = self.known();
        let amount = known.baskets.get(basket).cloned().ok_or(Refused::NotFound)?;
        if of("TOKEN") != token_of(basket) || of("TXNAMT") != amount || of("MERCHANT_ID") != Self::MERCHANT {
            return Err(Refused::Conflict("the form is not what the token was given for".to_owned()));
        }
        if known.paid.iter().any(|paid| paid == basket) {
            return Err(Refused::Conflict("the basket is paid".to_owned()));
        }
        known.transactions += 1;
        let transaction = format!("pf{}", known.transactions);
        let (code, message, calls) = match action.action {
            Kind::Pay => ("000", "", action.calls.unwrap_or(1)),
            Kind::Decline => ("97", "card declined", action.calls.unwrap_or(1)),
            // Nobody hears of who leaves.
            Kind::Leave => ("", "", 0),
        };
        if code == "000" {
            known.paid.push(basket.to_owned());
        }
        let amount = action.amount.as_deref().unwrap_or(&amount);
        let body = Self::notification(
            basket,
            [code, message, &transaction, amount, action.currency_code.as_deref().unwrap_or("PKR")],
            Self::KEY,
        );
        known.said.insert(basket.to_owned(), body.clone());
        Ok(Callback { by: By::PayFast, body, calls, delay_ms: action.delay_ms })
    }

    /// What was said last of a basket, said again.
    pub fn again(&self, basket: &str) -> Option<Callback> {
        let body = self.known().said.get(basket)?.clone();
        Some(Callback { by: By::PayFast, body, calls: 1, delay_ms: 0 })
    }

    /// A notification about a basket: its code, message, transaction, amount and currency, made with a key.
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
    State(payfast): State<FakePayFast>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let of = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let merchant = of("MERCHANT_ID") == FakePayFast::MERCHANT && of("SECURED_KEY") == FakePayFast::KEY;
    if !merchant || of("CURRENCY_CODE") != "PKR" || !headers.contains_key("user-agent") {
        return (StatusCode::BAD_REQUEST, Json(json!({ "errorDescription": "no such merchant, or no rupees" })));
    }
    payfast.known().baskets.insert(of("BASKET_ID").to_owned(), of("TXNAMT").to_owned());
    (StatusCode::OK, Json(json!({ "ACCESS_TOKEN": token_of(of("BASKET_ID")) })))
}
