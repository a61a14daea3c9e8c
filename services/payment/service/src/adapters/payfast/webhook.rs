//! Verifies and parses the payment notifications that PayFast sends to our webhook.

use std::collections::BTreeMap;

use mart_kernel::Money;
use payment_core::domain::{CallbackId, Provider, ProviderEvent, ProviderEventKind, Subject};
use payment_core::ports::{WebhookError, WebhookEvent, WebhookRequest};
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::PayFast;

/// The largest length of a basket, a transaction, an amount, a currency or a code, in bytes.
const MAX_FIELD_LENGTH: usize = 64;
/// The largest length of a failure's reason, in characters. Longer ones are cut.
const MAX_REASON_LENGTH: usize = 200;

impl<T> PayFast<T> {
    /// Verifies and parses a notification.
    pub(super) fn parse_notification(&self, request: &WebhookRequest<'_>) -> Result<WebhookEvent, WebhookError> {
        let fields = fields(request).ok_or(WebhookError::Message)?;
        let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        let (basket, code) = (short(field("basket_id"))?, short(field("err_code"))?);
        if !self.is_valid_hash(basket, code, field("validation_hash")) {
            return Err(WebhookError::Signature);
        }
        let transaction = short(field("transaction_id"))?;
        let (event, kind) = match code {
            "000" | "00" if transaction.is_empty() => return Err(WebhookError::Message),
            // A basket is paid once. The customer has seen this hash and could send it with another amount or transaction, so the
            // event's id is the same for all of them and only the first one counts.
            "000" | "00" => {
                let (amount, currency) = (short(field("transaction_amount"))?, short(field("transaction_currency"))?);
                let reported_amount = format!("{amount} {currency}");
                // The hash does not cover the transaction. With the basket the reference cannot equal that of another basket.
                let reference = format!("{transaction} of {basket}");
                (
                    format!("{basket} paid"),
                    ProviderEventKind::Captured { reference, reported_amount, amount: rupees(amount, currency) },
                )
            }
            _ => {
                let reason: String =
                    field("err_msg").chars().filter(|letter| !letter.is_control()).take(MAX_REASON_LENGTH).collect();
                (format!("{basket} {code}"), ProviderEventKind::Failed(reason))
            }
        };
        let (provider, subject) = (Provider::PayFast, Subject::Attempt(basket.to_owned()));
        Ok(WebhookEvent { id: CallbackId { provider, event }, event: Some(ProviderEvent { provider, subject, kind }) })
    }

    /// Returns whether the hash of a notification was made with one of our keys.
    ///
    /// The hash covers the basket and the code only, not the amount, and the customer's browser sees it.
    fn is_valid_hash(&self, basket: &str, code: &str, hash: &str) -> bool {
        let hash = hash.to_ascii_lowercase();
        let expected = |key: &String| {
            let digest = Sha256::digest(format!("{basket}|{key}|{}|{code}", self.merchant.id));
            base16ct::lower::encode_string(&digest)
        };
        self.merchant.keys.iter().any(|key| bool::from(expected(key).as_bytes().ct_eq(hash.as_bytes())))
    }
}

/// Returns the fields of a notification. They are in the query and in the body, which is a form or JSON.
fn fields(request: &WebhookRequest<'_>) -> Option<BTreeMap<String, String>> {
    let pairs = |text: &[u8]| form_urlencoded::parse(text).into_owned().collect::<Vec<_>>();
    let mut fields: BTreeMap<String, String> = pairs(request.query.as_bytes()).into_iter().collect();
    let kind = (request.header)("content-type").unwrap_or_default();
    if kind.starts_with("application/json") {
        let members: BTreeMap<String, Value> = serde_json::from_slice(request.body).ok()?;
        let text = |value: Value| match value {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        fields.extend(members.into_iter().filter_map(|(name, value)| Some((name, text(value)?))));
    } else {
        fields.extend(pairs(request.body));
    }
    Some(fields)
}

/// Returns the text if it is short and has no control characters. The hash does not cover every field.
fn short(text: &str) -> Result<&str, WebhookError> {
    let valid = text.len() <= MAX_FIELD_LENGTH && !text.chars().any(char::is_control);
    valid.then_some(text).ok_or(WebhookError::Message)
}

/// Parses an amount, which PayFast may write with fewer than two decimal places.
fn rupees(text: &str, currency: &str) -> Option<Money> {
    let text = text.trim();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    Money::parse(&format!("{whole}.{part:0<2}"), currency.trim()).ok()
}
