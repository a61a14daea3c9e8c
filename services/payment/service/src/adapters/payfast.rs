//! PayFast of Pakistan (gopayfast.com): a form that the customer's browser sends there, and an instant payment notification (IPN) to
//! our webhook. It has no documented refunds and can't be asked: people make the ones, and wait for the others.

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

/// What PayFast takes.
const CURRENCY: &str = "PKR";
const TOKEN: &str = "/Ecommerce/api/Transaction/GetAccessToken";
const FORM: &str = "/Ecommerce/api/Transaction/PostTransaction";
/// How long what PayFast names may be: a transaction, an amount, a currency, a code.
const LONGEST: usize = 64;
/// How much is kept of what PayFast says of a failure.
const MOST_SAID: usize = 200;

/// Who we are at PayFast, and where it finds us.
#[derive(Clone)]
pub struct Merchant {
    /// PayFast's own address.
    pub url: String,
    /// Our number.
    pub id: String,
    /// How customers know us.
    pub name: String,
    /// What proves that it is us; while it is rotated, the new one and the old one.
    pub keys: Vec<String>,
    /// The address of our webhook, as PayFast reaches it.
    pub callback: String,
    /// Where customers come back to.
    pub shop: String,
}

/// Talks to PayFast.
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
    /// Talks to PayFast by this transport, as this merchant.
    pub fn new(transport: T, merchant: Merchant) -> Self {
        Self { transport, merchant }
    }

    /// A token for one checkout. How long it is good is not documented, so that none is kept.
    async fn token(&self, basket: &str, amount: &str) -> Result<String, ProviderError> {
        let away = |error: String| {
            tracing::warn!(error, "PayFast does not answer");
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
            .map_err(|error| away(error.to_string()))?;
        let (status, body) = self.transport.send(request).await.map_err(away)?;
        let Token { token } = serde_json::from_slice(&body).unwrap_or(Token { token: String::new() });
        if (200..300).contains(&status) && !token.is_empty() {
            Ok(token)
        } else {
            Err(away(format!("{status} without a token")))
        }
    }

    /// Whether a notification was made by who knows our key. The hash is over a basket and a code only: it has travelled through the
    /// customer's browser, and says nothing of an amount.
    fn is_genuine(&self, basket: &str, code: &str, given: &str) -> bool {
        let given = given.to_ascii_lowercase();
        let made = |key: &String| {
            let digest = Sha256::digest(format!("{basket}|{key}|{}|{code}", self.merchant.id));
            base16ct::lower::encode_string(&digest)
        };
        self.merchant.keys.iter().any(|key| bool::from(made(key).as_bytes().ct_eq(given.as_bytes())))
    }
}

impl<T> std::fmt::Debug for PayFast<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PayFast")
    }
}

/// The fields of a notification, which comes as a form or as JSON and may have some in its address.
fn fields(sent: &WebhookRequest<'_>) -> Option<BTreeMap<String, String>> {
    let pairs = |text: &[u8]| form_urlencoded::parse(text).into_owned().collect::<Vec<_>>();
    let mut fields: BTreeMap<String, String> = pairs(sent.query.as_bytes()).into_iter().collect();
    let kind = (sent.header)("content-type").unwrap_or_default();
    if kind.starts_with("application/json") {
        let members: BTreeMap<String, Value> = serde_json::from_slice(sent.body).ok()?;
        let text = |value: Value| match value {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        fields.extend(members.into_iter().filter_map(|(name, value)| Some((name, text(value)?))));
    } else {
        fields.extend(pairs(sent.body));
    }
    Some(fields)
}

/// What the hash does not cover, where it is as short as PayFast has it and has no control characters.
fn short(text: &str) -> Result<&str, WebhookError> {
    let good = text.len() <= LONGEST && !text.chars().any(char::is_control);
    good.then_some(text).ok_or(WebhookError::Message)
}

/// An amount of rupees, which PayFast may write with less than two digits.
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

    async fn open(&self, asked: &CheckoutRequest) -> Result<OpenCheckout, ProviderError> {
        let CheckoutRequest { attempt, order, payer, amount, at, expires_at } = asked;
        if amount.currency().code() != CURRENCY {
            return Err(ProviderError::Rejected("PayFast takes rupees only".to_owned()));
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
            // Not looked at there.
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

    async fn look(&self, _reference: &str) -> Result<Vec<ProviderEventKind>, ProviderError> {
        Ok(Vec::new())
    }

    async fn end(&self, _reference: &str) -> Result<(), ProviderError> {
        Err(ProviderError::Rejected("PayFast ends no checkout".to_owned()))
    }

    async fn refund(&self, _asked: &RefundRequest) -> Result<RefundOutcome, ProviderError> {
        Ok(RefundOutcome::Manual)
    }

    fn parse_webhook(&self, sent: &WebhookRequest<'_>, _now: Timestamp) -> Result<WebhookEvent, WebhookError> {
        let fields = fields(sent).ok_or(WebhookError::Message)?;
        let of = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        let (basket, code) = (short(of("basket_id"))?, short(of("err_code"))?);
        if !self.is_genuine(basket, code, of("validation_hash")) {
            return Err(WebhookError::Signature);
        }
        let transaction = short(of("transaction_id"))?;
        let (event, kind) = match code {
            "000" | "00" if transaction.is_empty() => return Err(WebhookError::Message),
            // A basket is paid once. The customer has seen this hash and could send it with another amount or another transaction:
            // what was said first is heard, and nothing after it.
            "000" | "00" => {
                let (amount, currency) = (short(of("transaction_amount"))?, short(of("transaction_currency"))?);
                let reported_amount = format!("{amount} {currency}");
                // The hash does not cover the transaction: the basket makes it one that nobody else's can be.
                let reference = format!("{transaction} of {basket}");
                (
                    format!("{basket} paid"),
                    ProviderEventKind::Captured { reference, reported_amount, amount: rupees(amount, currency) },
                )
            }
            _ => {
                let said: String =
                    of("err_msg").chars().filter(|letter| !letter.is_control()).take(MOST_SAID).collect();
                (format!("{basket} {code}"), ProviderEventKind::Failed(said))
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

    /// The hash that PayFast's own documents show of `BAS-01|jdnkaabcks|102|000`.
    const HASH: &str = "e8192a7554dd699975adf39619c703a492392edf5e416a61e183866ecdf6a2a2";

    struct Played {
        answer: (u16, Value),
        asked: Mutex<Vec<Request<Vec<u8>>>>,
    }

    #[async_trait]
    impl Transport for &Played {
        async fn send(&self, request: Request<Vec<u8>>) -> Result<(u16, Vec<u8>), String> {
            self.asked.lock().expect("not poisoned").push(request);
            Ok((self.answer.0, self.answer.1.to_string().into_bytes()))
        }
    }

    fn played(status: u16, answer: Value) -> Played {
        Played { answer: (status, answer), asked: Mutex::default() }
    }

    fn payfast(played: &Played) -> PayFast<&Played> {
        let text = str::to_owned;
        let merchant = Merchant {
            url: text("https://payfast.example"),
            id: text("102"),
            name: text("mart"),
            keys: vec![text("new"), text("jdnkaabcks")],
            callback: text("https://api.shop.example/v1/payment-webhooks/payfast"),
            shop: text("https://shop.example"),
        };
        PayFast::new(played, merchant)
    }

    fn hear_as(kind: &str, query: &str, body: &str) -> Result<WebhookEvent, WebhookError> {
        let header = |name: &str| (name == "content-type").then(|| kind.to_owned());
        let now = Timestamp::from_unix_micros(0).expect("in range");
        payfast(&played(200, Value::Null))
            .parse_webhook(&WebhookRequest { header: &header, query, body: body.as_bytes() }, now)
    }

    fn hear(body: &str) -> Result<WebhookEvent, WebhookError> {
        hear_as("application/x-www-form-urlencoded", "", body)
    }

    fn paid(amount: &str) -> String {
        format!(
            "err_code=000&err_msg=&basket_id=BAS-01&transaction_id=77&validation_hash={HASH}&transaction_amount={amount}&transaction_currency=PKR"
        )
    }

    fn what(spoken: Result<WebhookEvent, WebhookError>) -> ProviderEventKind {
        spoken.expect("heard").event.expect("event").kind
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
        let played = played(200, json!({ "ACCESS_TOKEN": "t0k3n" }));
        let opened = payfast(&played).open(&checkout("1500.00", "PKR")).await.expect("opened");
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
        let asked = played.asked.lock().expect("not poisoned");
        assert_eq!((asked[0].method().as_str(), asked[0].uri().path(), asked[0].uri().query()), ("POST", TOKEN, None));
        let form: BTreeMap<String, String> = form_urlencoded::parse(asked[0].body()).into_owned().collect();
        assert_eq!((form["SECURED_KEY"].as_str(), form["TXNAMT"].as_str()), ("new", "1500.00"));
        assert!(asked[0].headers().contains_key("user-agent"));
    }

    #[tokio::test]
    async fn nobody_is_sent_there_without_a_token_or_with_other_money() {
        for (status, answer) in [(200, json!({})), (200, json!("sorry")), (500, json!({ "ACCESS_TOKEN": "t0k3n" }))] {
            let played = played(status, answer);
            assert_eq!(
                payfast(&played).open(&checkout("1500.00", "PKR")).await,
                Err(ProviderError::Unavailable),
                "{status}"
            );
        }
        let played = played(200, json!({ "ACCESS_TOKEN": "t0k3n" }));
        assert!(matches!(payfast(&played).open(&checkout("15.00", "USD")).await, Err(ProviderError::Rejected(_))));
        assert!(played.asked.lock().expect("not poisoned").is_empty());
    }

    #[test]
    fn a_notification_is_taken_with_payfasts_own_hash_as_form_as_json_and_in_the_address() {
        let expected = captured("1500.00", Some("1500.00"));
        assert_eq!(what(hear(&paid("1500.00"))), expected);
        let fields: BTreeMap<String, String> =
            form_urlencoded::parse(paid("1500.00").as_bytes()).into_owned().collect();
        let json = serde_json::to_string(&fields).expect("JSON");
        assert_eq!(what(hear_as("application/json; charset=utf-8", "", &json)), expected);
        assert_eq!(what(hear_as("", &paid("1500.00"), "")), expected);
        assert_eq!(what(hear(&paid("1500.00").replace(HASH, &HASH.to_uppercase()))), expected);
    }

    #[test]
    fn what_is_not_genuine_is_not_heard() {
        for (what, body) in [
            ("none", paid("1.00").replace(HASH, "")),
            ("another", paid("1.00").replace(HASH, &"0".repeat(64))),
            ("of another basket", paid("1.00").replace("BAS-01", "BAS-02")),
            ("of another code", paid("1.00").replace("err_code=000", "err_code=00")),
            ("nothing", String::new()),
        ] {
            assert_eq!(hear(&body), Err(WebhookError::Signature), "{what}");
        }
        assert_eq!(hear_as("application/json", "", "[]"), Err(WebhookError::Message));
        for transaction in ["", &"7".repeat(65), "7%007", "7%0A"] {
            let body = paid("1.00").replace("transaction_id=77", &format!("transaction_id={transaction}"));
            assert_eq!(hear(&body), Err(WebhookError::Message), "{body}");
        }
        assert_eq!(hear(&paid(&"9".repeat(65))), Err(WebhookError::Message));
    }

    #[test]
    fn a_hash_that_the_customer_has_seen_pays_nothing_a_second_time() {
        let first = hear(&paid("1.00")).expect("heard");
        for forged in [paid("1500.00"), paid("1.00").replace("transaction_id=77", "transaction_id=78")] {
            assert_eq!(hear(&forged).expect("heard").id, first.id, "{forged}");
        }
    }

    #[test]
    fn an_amount_is_read_however_it_is_written_and_told_as_it_came() {
        for (reported_amount, amount) in [
            ("1500.00", Some("1500.00")),
            ("1500", Some("1500.00")),
            ("1500.5", Some("1500.50")),
            ("1500.505", None),
            ("1,500.00", None),
            ("", None),
        ] {
            assert_eq!(what(hear(&paid(reported_amount))), captured(reported_amount, amount), "{reported_amount}");
        }
    }

    #[tokio::test]
    async fn money_goes_back_by_hand() {
        let asked = RefundRequest {
            refund: payment_core::domain::RefundId(Uuid::from_u128(3)),
            attempt: "BAS-01".to_owned(),
            captured: "77".to_owned(),
            amount: Money::parse("1500.00", "PKR").expect("money"),
        };
        assert_eq!(payfast(&played(200, Value::Null)).refund(&asked).await, Ok(RefundOutcome::Manual));
    }
}
