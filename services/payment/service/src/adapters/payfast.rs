//! PayFast of Pakistan (gopayfast.com).
//!
//! The customer's browser submits a form to PayFast, which sends an instant payment notification (IPN) to our webhook. PayFast
//! documents no refunds and no status query, so refunds are manual and checkouts cannot be polled.

use std::collections::BTreeMap;

use async_trait::async_trait;
use axum::http::Request;
use form_urlencoded::Serializer;
use mart_kernel::{Money, Timestamp};
use payment_core::domain::{CallbackId, Checkout, Provider, ProviderEvent, ProviderEventKind, Subject};
use payment_core::ports::{
    CheckoutRequest, OpenCheckout, PaymentProvider, ProviderError, RefundOutcome, RefundRequest, WebhookError,
    WebhookEvent, WebhookRequest,
};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::transport::Transport;

/// The only currency that PayFast accepts.
const CURRENCY: &str = "PKR";
const TOKEN: &str = "/Ecommerce/api/Transaction/GetAccessToken";
const FORM: &str = "/Ecommerce/api/Transaction/PostTransaction";
/// The largest length of a basket, a transaction, an amount, a currency or a code, in bytes.
const MAX_FIELD_LENGTH: usize = 64;
/// The largest length of a failure's reason, in characters. Longer ones are cut.
const MAX_REASON_LENGTH: usize = 200;

/// Our merchant account at PayFast, and our addresses.
#[derive(Clone)]
pub struct Merchant {
    /// The URL of PayFast's API.
    pub url: String,
    /// The merchant number.
    pub id: String,
    /// The shop's name, which customers see.
    pub name: String,
    /// The secured keys; during a rotation the new and the old one. Requests use the first one.
    pub keys: Vec<String>,
    /// The public URL of our webhook.
    pub callback: String,
    /// The URL of the shop, to which customers return.
    pub shop: String,
}

/// The adapter of PayFast.
pub struct PayFast<T> {
    transport: T,
    merchant: Merchant,
}

#[derive(Deserialize)]
struct Token {
    #[serde(rename = "ACCESS_TOKEN", default)]
    token: String,
}

impl<T: Transport> PayFast<T> {
    /// Creates the adapter.
    pub fn new(transport: T, merchant: Merchant) -> Self {
        Self { transport, merchant }
    }

    /// Requests a token for one checkout. Tokens are not cached, because their lifetime is not documented.
    async fn token(&self, basket: &str, amount: &str) -> Result<String, ProviderError> {
        let unavailable = |error: String| {
            tracing::warn!(error, "PayFast is unavailable");
            ProviderError::Unavailable
        };
        let key = self.merchant.keys.first().map(String::as_str).unwrap_or_default();
        let form = Serializer::new(String::new())
            .append_pair("MERCHANT_ID", &self.merchant.id)
            .append_pair("SECURED_KEY", key)
            .append_pair("BASKET_ID", basket)
            .append_pair("TXNAMT", amount)
            .append_pair("CURRENCY_CODE", CURRENCY)
            .finish();
        let request = Request::builder()
            .method(Method::POST)
            .uri(TOKEN)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(USER_AGENT, "mart")
            .body(form.into_bytes())
            .map_err(|error| unavailable(error.to_string()))?;
        let (status, body) = self.transport.send(request).await.map_err(unavailable)?;
        let Token { token } = serde_json::from_slice(&body).unwrap_or(Token { token: String::new() });
        if (200..300).contains(&status) && !token.is_empty() {
            Ok(token)
        } else {
            Err(unavailable(format!("status {status} without a token")))
        }
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

impl<T> std::fmt::Debug for PayFast<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PayFast")
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

#[async_trait]
impl<T: Transport> PaymentProvider for PayFast<T> {
    fn provider(&self) -> Provider {
        Provider::PayFast
    }

    async fn open(&self, request: &CheckoutRequest) -> Result<OpenCheckout, ProviderError> {
        let CheckoutRequest { attempt, order, payer, amount, at, expires_at } = request;
        if amount.currency().code() != CURRENCY {
            return Err(ProviderError::Rejected("PayFast accepts rupees only".to_owned()));
        }
        let (basket, amount) = (attempt.0.to_string(), amount.amount());
        let token = self.token(&basket, &amount).await?;
        let at = at.get();
        let date = format!("{} {:02}:{:02}:{:02}", at.date(), at.hour(), at.minute(), at.second());
        let Merchant { url, id, name, callback, shop, .. } = &self.merchant;
        let page = format!("{shop}/orders/{}", order.0);
        let fields = [
            ("MERCHANT_ID", id.clone()),
            ("MERCHANT_NAME", name.clone()),
            ("TOKEN", token),
            ("PROCCODE", "00".to_owned()),
            ("TXNAMT", amount),
            ("CUSTOMER_MOBILE_NO", payer.phone.clone()),
            ("CUSTOMER_EMAIL_ADDRESS", payer.email.clone()),
            // PayFast does not check this field.
            ("SIGNATURE", basket.clone()),
            ("VERSION", "MERCHANTCART-0.1".to_owned()),
            ("TXNDESC", format!("Order {}", order.0)),
            ("SUCCESS_URL", page.clone()),
            ("FAILURE_URL", page),
            ("CHECKOUT_URL", callback.clone()),
            ("BASKET_ID", basket.clone()),
            ("ORDER_DATE", date),
            ("TRAN_TYPE", "ECOMM_PURCHASE".to_owned()),
            ("CURRENCY_CODE", CURRENCY.to_owned()),
        ];
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let checkout = Checkout { url: format!("{url}{FORM}"), fields };
        Ok(OpenCheckout { reference: basket, checkout, expires_at: *expires_at })
    }

    fn supports_polling(&self) -> bool {
        false
    }

    async fn poll(&self, _reference: &str) -> Result<Vec<ProviderEventKind>, ProviderError> {
        Ok(Vec::new())
    }

    async fn end(&self, _reference: &str) -> Result<(), ProviderError> {
        Err(ProviderError::Rejected("PayFast cannot end a checkout".to_owned()))
    }

    async fn refund(&self, _request: &RefundRequest) -> Result<RefundOutcome, ProviderError> {
        Ok(RefundOutcome::Manual)
    }

    fn parse_webhook(&self, request: &WebhookRequest<'_>, _now: Timestamp) -> Result<WebhookEvent, WebhookError> {
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
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use payment_core::domain::{AttemptId, OrderId};
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    /// The hash of `BAS-01|jdnkaabcks|102|000` in PayFast's documentation.
    const HASH: &str = "e8192a7554dd699975adf39619c703a492392edf5e416a61e183866ecdf6a2a2";

    struct FakeTransport {
        response: (u16, Value),
        requests: Mutex<Vec<Request<Vec<u8>>>>,
    }

    #[async_trait]
    impl Transport for &FakeTransport {
        async fn send(&self, request: Request<Vec<u8>>) -> Result<(u16, Vec<u8>), String> {
            self.requests.lock().expect("not poisoned").push(request);
            Ok((self.response.0, self.response.1.to_string().into_bytes()))
        }
    }

    fn transport(status: u16, response: Value) -> FakeTransport {
        FakeTransport { response: (status, response), requests: Mutex::default() }
    }

    fn payfast(transport: &FakeTransport) -> PayFast<&FakeTransport> {
        let text = str::to_owned;
        let merchant = Merchant {
            url: text("https://payfast.example"),
            id: text("102"),
            name: text("mart"),
            keys: vec![text("new"), text("jdnkaabcks")],
            callback: text("https://api.shop.example/v1/payment-webhooks/payfast"),
            shop: text("https://shop.example"),
        };
        PayFast::new(transport, merchant)
    }

    fn parse_as(content_type: &str, query: &str, body: &str) -> Result<WebhookEvent, WebhookError> {
        let header = |name: &str| (name == "content-type").then(|| content_type.to_owned());
        let now = Timestamp::from_unix_micros(0).expect("in range");
        payfast(&transport(200, Value::Null))
            .parse_webhook(&WebhookRequest { header: &header, query, body: body.as_bytes() }, now)
    }

    fn parse(body: &str) -> Result<WebhookEvent, WebhookError> {
        parse_as("application/x-www-form-urlencoded", "", body)
    }

    fn paid(amount: &str) -> String {
        format!(
            "err_code=000&err_msg=&basket_id=BAS-01&transaction_id=77&validation_hash={HASH}\
             &transaction_amount={amount}&transaction_currency=PKR"
        )
    }

    fn kind(webhook: Result<WebhookEvent, WebhookError>) -> ProviderEventKind {
        webhook.expect("valid").event.expect("event").kind
    }

    fn captured(reported_amount: &str, amount: Option<&str>) -> ProviderEventKind {
        let amount = amount.map(|amount| Money::parse(amount, "PKR").expect("money"));
        ProviderEventKind::Captured {
            reference: "77 of BAS-01".to_owned(),
            reported_amount: format!("{reported_amount} PKR"),
            amount,
        }
    }

    fn checkout(amount: &str, currency: &str) -> CheckoutRequest {
        let at = |seconds: i64| Timestamp::from_unix_micros(seconds * 1_000_000).expect("in range");
        let payer = payment_core::domain::Payer {
            email: "a@mart.example".to_owned(),
            phone: "+923001234567".to_owned(),
            ..Default::default()
        };
        CheckoutRequest {
            attempt: AttemptId(Uuid::from_u128(1)),
            order: OrderId(Uuid::from_u128(2)),
            payer,
            amount: Money::parse(amount, currency).expect("money"),
            at: at(1_800_000_000),
            expires_at: at(1_800_001_800),
        }
    }

    #[tokio::test]
    async fn a_checkout_is_a_form_with_a_token_and_without_the_key() {
        let transport = transport(200, json!({ "ACCESS_TOKEN": "t0k3n" }));
        let opened = payfast(&transport).open(&checkout("1500.00", "PKR")).await.expect("opened");
        assert_eq!(opened.reference, Uuid::from_u128(1).to_string());
        assert_eq!(opened.checkout.url, format!("https://payfast.example{FORM}"));
        let fields: BTreeMap<String, String> = opened.checkout.fields.into_iter().collect();
        for (name, value) in [
            ("TOKEN", "t0k3n"),
            ("TXNAMT", "1500.00"),
            ("BASKET_ID", &opened.reference),
            ("ORDER_DATE", "2027-01-15 08:00:00"),
            ("CUSTOMER_EMAIL_ADDRESS", "a@mart.example"),
            ("CUSTOMER_MOBILE_NO", "+923001234567"),
            ("CHECKOUT_URL", "https://api.shop.example/v1/payment-webhooks/payfast"),
            ("CURRENCY_CODE", "PKR"),
        ] {
            assert_eq!(fields[name], value, "{name}");
        }
        assert!(!fields.values().any(|value| value.contains("new") || value.contains("jdnkaabcks")), "{fields:?}");
        let requests = transport.requests.lock().expect("not poisoned");
        assert_eq!(
            (requests[0].method().as_str(), requests[0].uri().path(), requests[0].uri().query()),
            ("POST", TOKEN, None)
        );
        let form: BTreeMap<String, String> = form_urlencoded::parse(requests[0].body()).into_owned().collect();
        assert_eq!((form["SECURED_KEY"].as_str(), form["TXNAMT"].as_str()), ("new", "1500.00"));
        assert!(requests[0].headers().contains_key("user-agent"));
    }

    #[tokio::test]
    async fn no_checkout_without_a_token_or_in_another_currency() {
        for (status, response) in [(200, json!({})), (200, json!("sorry")), (500, json!({ "ACCESS_TOKEN": "t0k3n" }))] {
            let transport = transport(status, response);
            assert_eq!(
                payfast(&transport).open(&checkout("1500.00", "PKR")).await,
                Err(ProviderError::Unavailable),
                "{status}"
            );
        }
        let transport = transport(200, json!({ "ACCESS_TOKEN": "t0k3n" }));
        assert!(matches!(payfast(&transport).open(&checkout("15.00", "USD")).await, Err(ProviderError::Rejected(_))));
        assert!(transport.requests.lock().expect("not poisoned").is_empty());
    }

    #[test]
    fn a_notification_is_a_form_or_json_or_in_the_query() {
        let expected = captured("1500.00", Some("1500.00"));
        assert_eq!(kind(parse(&paid("1500.00"))), expected);
        let fields: BTreeMap<String, String> =
            form_urlencoded::parse(paid("1500.00").as_bytes()).into_owned().collect();
        let json = serde_json::to_string(&fields).expect("JSON");
        assert_eq!(kind(parse_as("application/json; charset=utf-8", "", &json)), expected);
        assert_eq!(kind(parse_as("", &paid("1500.00"), "")), expected);
        assert_eq!(kind(parse(&paid("1500.00").replace(HASH, &HASH.to_uppercase()))), expected);
    }

    #[test]
    fn a_forged_or_malformed_notification_is_rejected() {
        for (case, body) in [
            ("no hash", paid("1.00").replace(HASH, "")),
            ("another hash", paid("1.00").replace(HASH, &"0".repeat(64))),
            ("hash of another basket", paid("1.00").replace("BAS-01", "BAS-02")),
            ("hash of another code", paid("1.00").replace("err_code=000", "err_code=00")),
            ("empty body", String::new()),
        ] {
            assert_eq!(parse(&body), Err(WebhookError::Signature), "{case}");
        }
        assert_eq!(parse_as("application/json", "", "[]"), Err(WebhookError::Message));
        for transaction in ["", &"7".repeat(65), "7%007", "7%0A"] {
            let body = paid("1.00").replace("transaction_id=77", &format!("transaction_id={transaction}"));
            assert_eq!(parse(&body), Err(WebhookError::Message), "{body}");
        }
        assert_eq!(parse(&paid(&"9".repeat(65))), Err(WebhookError::Message));
    }

    #[test]
    fn a_replayed_hash_is_the_same_event() {
        let first = parse(&paid("1.00")).expect("valid");
        for forged in [paid("1500.00"), paid("1.00").replace("transaction_id=77", "transaction_id=78")] {
            assert_eq!(parse(&forged).expect("valid").id, first.id, "{forged}");
        }
    }

    #[test]
    fn an_amount_may_have_up_to_two_decimals_and_is_kept_as_text() {
        for (reported_amount, amount) in [
            ("1500.00", Some("1500.00")),
            ("1500", Some("1500.00")),
            ("1500.5", Some("1500.50")),
            ("1500.505", None),
            ("1,500.00", None),
            ("", None),
        ] {
            assert_eq!(kind(parse(&paid(reported_amount))), captured(reported_amount, amount), "{reported_amount}");
        }
    }

    #[tokio::test]
    async fn refunds_are_manual() {
        let request = RefundRequest {
            refund: payment_core::domain::RefundId(Uuid::from_u128(3)),
            attempt: "BAS-01".to_owned(),
            captured: "77".to_owned(),
            amount: Money::parse("1500.00", "PKR").expect("money"),
        };
        assert_eq!(payfast(&transport(200, Value::Null)).refund(&request).await, Ok(RefundOutcome::Manual));
    }
}
