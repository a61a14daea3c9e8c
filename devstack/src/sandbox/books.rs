//! What the sandbox knows: checkouts, the money that it pretends to have taken, and what it says of both.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Everything that the sandbox knows.
#[derive(Debug, Default)]
pub struct Books {
    /// Checkouts by what they are called.
    checkouts: BTreeMap<String, Checkout>,
    /// Refunds by their ids: each is made once.
    refunds: BTreeMap<String, Value>,
    words: u64,
}

#[derive(Debug, Clone)]
struct Checkout {
    order: String,
    amount: String,
    currency: String,
    expires_at: OffsetDateTime,
    ended: bool,
    /// What was said of it, the oldest first.
    said: Vec<Value>,
}

/// What a customer does on the page, or a test in his place.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Action {
    /// What is done.
    pub action: Kind,
    /// Another amount than the one that is due.
    #[serde(default)]
    pub amount: Option<String>,
    /// Another currency than the one that is due.
    #[serde(default)]
    pub currency_code: Option<String>,
    /// How often it is called back; once where it is absent, and not at all with 0.
    #[serde(default)]
    pub calls: Option<u8>,
    /// How many milliseconds later it is called back.
    #[serde(default)]
    pub delay_ms: u64,
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The customer pays.
    Pay,
    /// The card is declined.
    Decline,
    /// The customer goes away.
    Leave,
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// There is no such thing.
    NotFound,
    /// It is over, or does not fit.
    Conflict(String),
}

/// A word to the mart, to be sent so often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The body, to the byte.
    pub body: String,
    /// How often it is sent.
    pub calls: u8,
    /// How many milliseconds later.
    pub delay_ms: u64,
}

impl Books {
    /// Opens a checkout under an id. The same id twice is the same checkout.
    pub fn open(&mut self, id: &str, asked: &Value, base: &str) -> Result<Value, Refused> {
        let text = |member: &str| asked[member].as_str().unwrap_or_default().to_owned();
        let reference = format!("cs_{id}");
        let expires_at = OffsetDateTime::parse(&text("expireTime"), &Rfc3339)
            .map_err(|_| Refused::Conflict("expireTime is no time of RFC 3339".to_owned()))?;
        let (order, amount, currency) = (text("orderId"), text("amount"), text("currencyCode"));
        let new = || Checkout { order, amount, currency, expires_at, ended: false, said: Vec::new() };
        let checkout = self.checkouts.entry(reference.clone()).or_insert_with(new);
        let expire_time = checkout.expires_at.format(&Rfc3339).unwrap_or_default();
        Ok(json!({ "reference": reference, "url": format!("{base}/pay/{reference}"), "expireTime": expire_time }))
    }

    /// All that there is to say of a checkout.
    pub fn look(&self, reference: &str, now: OffsetDateTime) -> Result<Value, Refused> {
        let checkout = self.checkouts.get(reference).ok_or(Refused::NotFound)?;
        let mut said = checkout.said.clone();
        if said.is_empty() && (checkout.ended || checkout.expires_at <= now) {
            said.push(json!({ "kind": "ended" }));
        }
        Ok(Value::Array(said))
    }

    /// Ends a checkout; one that was paid stays so.
    pub fn end(&mut self, reference: &str) -> Result<(), Refused> {
        let checkout = self.checkouts.get_mut(reference).ok_or(Refused::NotFound)?;
        checkout.ended = true;
        Ok(())
    }

    /// Sends money back, never more than came in. The same id twice is the same refund.
    pub fn refund(&mut self, id: &str, asked: &Value) -> Result<Value, Refused> {
        if let Some(made) = self.refunds.get(id) {
            return Ok(made.clone());
        }
        let text = |member: &str| asked[member].as_str().unwrap_or_default().to_owned();
        let (captured, amount, currency) = (text("captured"), text("amount"), text("currencyCode"));
        let reference = text("checkout");
        let checkout = self.checkouts.get_mut(&reference).ok_or(Refused::NotFound)?;
        let came_in =
            checkout.said.iter().find(|said| said["kind"] == "captured" && said["reference"] == captured.as_str());
        let came_in = came_in.ok_or(Refused::NotFound)?;
        let minor = |amount: &str| amount.replace('.', "").parse::<i64>().unwrap_or(i64::MAX);
        let gone: i64 = checkout
            .said
            .iter()
            .filter(|said| said["kind"] == "refunded")
            .map(|said| minor(said["amount"].as_str().unwrap_or_default()))
            .sum();
        let made = if came_in["currencyCode"] != currency.as_str()
            || minor(&amount).saturating_add(gone) > minor(came_in["amount"].as_str().unwrap_or_default())
        {
            json!({ "kind": "refund failed", "refund": asked["refund"], "reason": "it is more than came in" })
        } else {
            let said = json!({
                "kind": "refunded", "refund": asked["refund"], "reference": format!("re_{id}"), "amount": amount, "currencyCode": currency,
            });
            checkout.said.push(said.clone());
            said
        };
        self.refunds.insert(id.to_owned(), made.clone());
        Ok(made)
    }

    /// What a customer sees of a checkout: its order, its amount and how it stands.
    pub fn shown(&self, reference: &str, now: OffsetDateTime) -> Result<(String, String, &'static str), Refused> {
        let checkout = self.checkouts.get(reference).ok_or(Refused::NotFound)?;
        let has = |kind: &str| checkout.said.iter().any(|said| said["kind"] == kind);
        let stands = match () {
            () if has("captured") => "paid",
            () if has("failed") => "declined",
            () if checkout.ended || checkout.expires_at <= now => "over",
            () => "open",
        };
        Ok((checkout.order.clone(), format!("{} {}", checkout.amount, checkout.currency), stands))
    }

    /// A customer does something; what the mart is told of it.
    pub fn act(&mut self, reference: &str, action: &Action, now: OffsetDateTime) -> Result<Word, Refused> {
        let (.., stands) = self.shown(reference, now)?;
        if stands != "open" {
            return Err(Refused::Conflict(format!("the checkout is {stands}")));
        }
        let checkout = self.checkouts.get_mut(reference).ok_or(Refused::NotFound)?;
        let said = match action.action {
            Kind::Pay => json!({
                "kind": "captured", "reference": format!("tx_{reference}"),
                "amount": action.amount.clone().unwrap_or_else(|| checkout.amount.clone()),
                "currencyCode": action.currency_code.clone().unwrap_or_else(|| checkout.currency.clone()),
            }),
            Kind::Decline => json!({ "kind": "failed", "reason": "card declined" }),
            Kind::Leave => {
                checkout.ended = true;
                json!({ "kind": "ended" })
            }
        };
        checkout.said.push(said.clone());
        self.words += 1;
        let mut word = json!({ "event": format!("ev_{reference}_{}", self.words), "checkout": reference });
        if let (Some(word), Some(said)) = (word.as_object_mut(), said.as_object()) {
            word.extend(said.clone());
        }
        Ok(Word { body: word.to_string(), calls: action.calls.unwrap_or(1), delay_ms: action.delay_ms })
    }
}

/// The signature of a body at a time: `t=<seconds since 1970>,v1=<hex of HMAC-SHA256 of "<t>.<body>">`.
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

    fn open() -> Books {
        let mut books = Books::default();
        let asked =
            json!({ "orderId": "o", "amount": "1500.00", "currencyCode": "PKR", "expireTime": "2027-01-15T08:30:00Z" });
        for _ in 0..2 {
            assert_eq!(books.open("a", &asked, "http://pay").expect("opened")["url"], "http://pay/pay/cs_a");
        }
        books
    }

    fn action(action: Kind) -> Action {
        Action { action, amount: None, currency_code: None, calls: None, delay_ms: 0 }
    }

    #[test]
    fn a_checkout_is_paid_once_and_refunded_up_to_what_came_in() {
        let mut books = open();
        books.act("cs_a", &action(Kind::Pay), now()).expect("paid");
        let again = books.act("cs_a", &action(Kind::Pay), now());
        assert_eq!(again, Err(Refused::Conflict("the checkout is paid".to_owned())));
        let mut refund = |id: &str, amount: &str| {
            let asked = json!({ "checkout": "cs_a", "captured": "tx_cs_a", "amount": amount, "currencyCode": "PKR" });
            books.refund(id, &asked).expect("answered")["kind"].as_str().unwrap_or_default().to_owned()
        };
        assert_eq!([refund("1", "1000.00"), refund("1", "1000.00")], ["refunded", "refunded"]);
        assert_eq!([refund("2", "500.01"), refund("3", "500.00")], ["refund failed", "refunded"]);
    }

    #[test]
    fn what_is_over_can_not_be_paid() {
        let mut books = open();
        books.end("cs_a").expect("ended");
        assert!(books.act("cs_a", &action(Kind::Pay), now()).is_err());
        assert_eq!(books.look("cs_a", now()).expect("known")[0]["kind"], "ended");
        assert_eq!(books.act("cs_b", &action(Kind::Pay), now()), Err(Refused::NotFound));
    }

    #[test]
    fn every_word_has_an_id_of_its_own_and_says_what_was_told_to_say() {
        let mut books = open();
        let other = Action { amount: Some("1.00".to_owned()), calls: Some(3), ..action(Kind::Pay) };
        let word = books.act("cs_a", &other, now()).expect("paid");
        assert!(word.body.contains(r#""amount":"1.00""#) && word.body.contains("ev_cs_a_1"), "{}", word.body);
        assert_eq!(word.calls, 3);
    }
}
