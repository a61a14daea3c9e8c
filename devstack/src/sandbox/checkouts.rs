//! The state of the sandbox: its checkouts, their events and the refunds.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The checkouts and refunds of the sandbox.
#[derive(Debug, Default)]
pub struct Checkouts {
    /// The checkouts by reference.
    by_reference: BTreeMap<String, Checkout>,
    /// The refunds by their ids.
    refunds: BTreeMap<String, Value>,
    /// The number of webhook events so far.
    event_count: u64,
}

#[derive(Debug, Clone)]
struct Checkout {
    order: String,
    amount: String,
    currency: String,
    expires_at: OffsetDateTime,
    ended: bool,
    /// The checkout's events, the oldest first.
    events: Vec<Value>,
}

/// An action of a customer on the payment page, or of a test.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Action {
    /// The kind of action.
    pub action: ActionKind,
    /// An amount that differs from the amount due.
    #[serde(default)]
    pub amount: Option<String>,
    /// A currency that differs from the currency due.
    #[serde(default)]
    pub currency_code: Option<String>,
    /// How often the webhook is sent: once by default, never with 0.
    #[serde(default)]
    pub calls: Option<u8>,
    /// The delay of the webhook in milliseconds.
    #[serde(default)]
    pub delay_ms: u64,
}

/// The kinds of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActionKind {
    /// The customer pays.
    Pay,
    /// The card is declined.
    Decline,
    /// The customer leaves the page.
    Leave,
}

/// The reason to reject an action or a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionError {
    /// The checkout or payment does not exist.
    NotFound,
    /// The checkout's state or the request's values do not allow it.
    Conflict(String),
}

/// A webhook to send to the mart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookDelivery {
    /// The exact body.
    pub body: String,
    /// How often the webhook is sent.
    pub calls: u8,
    /// The delay in milliseconds.
    pub delay_ms: u64,
}

impl Checkouts {
    /// Opens a checkout. A repeated request with the same id returns the same checkout.
    pub fn open(&mut self, id: &str, request: &Value, base: &str) -> Result<Value, ActionError> {
        let text = |member: &str| request[member].as_str().unwrap_or_default().to_owned();
        let reference = format!("cs_{id}");
        let expires_at = OffsetDateTime::parse(&text("expireTime"), &Rfc3339)
            .map_err(|_| ActionError::Conflict("expireTime is not an RFC 3339 timestamp".to_owned()))?;
        let (order, amount, currency) = (text("orderId"), text("amount"), text("currencyCode"));
        let new = || Checkout { order, amount, currency, expires_at, ended: false, events: Vec::new() };
        let checkout = self.by_reference.entry(reference.clone()).or_insert_with(new);
        let expire_time = checkout.expires_at.format(&Rfc3339).unwrap_or_default();
        Ok(json!({ "reference": reference, "url": format!("{base}/pay/{reference}"), "expireTime": expire_time }))
    }

    /// Returns the events of a checkout.
    pub fn events(&self, reference: &str, now: OffsetDateTime) -> Result<Value, ActionError> {
        let checkout = self.by_reference.get(reference).ok_or(ActionError::NotFound)?;
        let mut events = checkout.events.clone();
        if events.is_empty() && (checkout.ended || checkout.expires_at <= now) {
            events.push(json!({ "kind": "ended" }));
        }
        Ok(Value::Array(events))
    }

    /// Ends a checkout. A paid checkout stays paid.
    pub fn end(&mut self, reference: &str) -> Result<(), ActionError> {
        let checkout = self.by_reference.get_mut(reference).ok_or(ActionError::NotFound)?;
        checkout.ended = true;
        Ok(())
    }

    /// Refunds a payment, at most the captured amount. A repeated request with the same id returns the same refund.
    pub fn refund(&mut self, id: &str, request: &Value) -> Result<Value, ActionError> {
        if let Some(refund) = self.refunds.get(id) {
            return Ok(refund.clone());
        }
        let text = |member: &str| request[member].as_str().unwrap_or_default().to_owned();
        let (captured, amount, currency) = (text("captured"), text("amount"), text("currencyCode"));
        let reference = text("checkout");
        let checkout = self.by_reference.get_mut(&reference).ok_or(ActionError::NotFound)?;
        let capture =
            checkout.events.iter().find(|event| event["kind"] == "captured" && event["reference"] == captured.as_str());
        let capture = capture.ok_or(ActionError::NotFound)?;
        let minor = |amount: &str| amount.replace('.', "").parse::<i64>().unwrap_or(i64::MAX);
        let refunded: i64 = checkout
            .events
            .iter()
            .filter(|event| event["kind"] == "refunded")
            .map(|event| minor(event["amount"].as_str().unwrap_or_default()))
            .sum();
        let refund = if capture["currencyCode"] != currency.as_str()
            || minor(&amount).saturating_add(refunded) > minor(capture["amount"].as_str().unwrap_or_default())
        {
            json!({ "kind": "refund failed", "refund": request["refund"], "reason": "it exceeds the captured amount" })
        } else {
            let event = json!({
                "kind": "refunded", "refund": request["refund"], "reference": format!("re_{id}"), "amount": amount, "currencyCode": currency,
            });
            checkout.events.push(event.clone());
            event
        };
        self.refunds.insert(id.to_owned(), refund.clone());
        Ok(refund)
    }

    /// Returns what the payment page shows of a checkout: its order, its amount and its state.
    pub fn summary(&self, reference: &str, now: OffsetDateTime) -> Result<(String, String, &'static str), ActionError> {
        let checkout = self.by_reference.get(reference).ok_or(ActionError::NotFound)?;
        let has = |kind: &str| checkout.events.iter().any(|event| event["kind"] == kind);
        let state = match () {
            () if has("captured") => "paid",
            () if has("failed") => "declined",
            () if checkout.ended || checkout.expires_at <= now => "closed",
            () => "open",
        };
        Ok((checkout.order.clone(), format!("{} {}", checkout.amount, checkout.currency), state))
    }

    /// Performs an action of a customer. Returns the webhook to send.
    pub fn act(
        &mut self,
        reference: &str,
        action: &Action,
        now: OffsetDateTime,
    ) -> Result<WebhookDelivery, ActionError> {
        let (.., state) = self.summary(reference, now)?;
        if state != "open" {
            return Err(ActionError::Conflict(format!("the checkout is {state}")));
        }
        let checkout = self.by_reference.get_mut(reference).ok_or(ActionError::NotFound)?;
        let event = match action.action {
            ActionKind::Pay => json!({
                "kind": "captured", "reference": format!("tx_{reference}"),
                "amount": action.amount.clone().unwrap_or_else(|| checkout.amount.clone()),
                "currencyCode": action.currency_code.clone().unwrap_or_else(|| checkout.currency.clone()),
            }),
            ActionKind::Decline => json!({ "kind": "failed", "reason": "card declined" }),
            ActionKind::Leave => {
                checkout.ended = true;
                json!({ "kind": "ended" })
            }
        };
        checkout.events.push(event.clone());
        self.event_count += 1;
        let mut body = json!({ "event": format!("ev_{reference}_{}", self.event_count), "checkout": reference });
        if let (Some(body), Some(event)) = (body.as_object_mut(), event.as_object()) {
            body.extend(event.clone());
        }
        Ok(WebhookDelivery { body: body.to_string(), calls: action.calls.unwrap_or(1), delay_ms: action.delay_ms })
    }
}

/// Returns the signature of a body at a time: `t=<seconds since 1970>,v1=<hex of HMAC-SHA256 of "<t>.<body>">`.
pub fn sign(secret: &str, body: &str, now: OffsetDateTime) -> String {
    let at = now.unix_timestamp();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("{at}.{body}").as_bytes());
    format!("t={at},v1={}", base16ct::lower::encode_string(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time")
    }

    fn open() -> Checkouts {
        let mut checkouts = Checkouts::default();
        let request =
            json!({ "orderId": "o", "amount": "1500.00", "currencyCode": "PKR", "expireTime": "2027-01-15T08:30:00Z" });
        for _ in 0..2 {
            assert_eq!(checkouts.open("a", &request, "http://pay").expect("opened")["url"], "http://pay/pay/cs_a");
        }
        checkouts
    }

    fn action(action: ActionKind) -> Action {
        Action { action, amount: None, currency_code: None, calls: None, delay_ms: 0 }
    }

    #[test]
    fn a_checkout_is_paid_once_and_never_refunded_in_excess() {
        let mut checkouts = open();
        checkouts.act("cs_a", &action(ActionKind::Pay), now()).expect("paid");
        let again = checkouts.act("cs_a", &action(ActionKind::Pay), now());
        assert_eq!(again, Err(ActionError::Conflict("the checkout is paid".to_owned())));
        let mut refund = |id: &str, amount: &str| {
            let request = json!({ "checkout": "cs_a", "captured": "tx_cs_a", "amount": amount, "currencyCode": "PKR" });
            checkouts.refund(id, &request).expect("a refund")["kind"].as_str().unwrap_or_default().to_owned()
        };
        assert_eq!([refund("1", "1000.00"), refund("1", "1000.00")], ["refunded", "refunded"]);
        assert_eq!([refund("2", "500.01"), refund("3", "500.00")], ["refund failed", "refunded"]);
    }

    #[test]
    fn a_closed_checkout_cannot_be_paid() {
        let mut checkouts = open();
        checkouts.end("cs_a").expect("ended");
        assert!(checkouts.act("cs_a", &action(ActionKind::Pay), now()).is_err());
        assert_eq!(checkouts.events("cs_a", now()).expect("events")[0]["kind"], "ended");
        assert_eq!(checkouts.act("cs_b", &action(ActionKind::Pay), now()), Err(ActionError::NotFound));
    }

    #[test]
    fn a_webhook_has_its_event_id_and_the_requested_values() {
        let mut checkouts = open();
        let other = Action { amount: Some("1.00".to_owned()), calls: Some(3), ..action(ActionKind::Pay) };
        let webhook = checkouts.act("cs_a", &other, now()).expect("paid");
        assert!(webhook.body.contains(r#""amount":"1.00""#) && webhook.body.contains("ev_cs_a_1"), "{}", webhook.body);
        assert_eq!(webhook.calls, 3);
    }
}
