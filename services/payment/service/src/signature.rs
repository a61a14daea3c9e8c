//! WebhookVerifier as Stripe has them, and our sandbox: `t=<seconds since 1970>,v1=<hex>[,v1=…]`, each the HMAC-SHA256 of `<t>.<body>`.

use hmac::{Hmac, KeyInit, Mac};
use mart_kernel::Timestamp;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use time::{Duration, OffsetDateTime};

/// How old a signature may be where nobody says otherwise: as Stripe's libraries have it.
pub const TOLERANCE: Duration = Duration::seconds(300);
/// How many bytes a signature has.
const LENGTH: usize = 32;

/// How words of a provider are signed.
#[derive(Clone)]
pub struct WebhookVerifier {
    /// While a secret is rotated, the new one and the old one.
    secrets: Vec<String>,
    /// How old a signature may be, and how far in the future: clocks differ.
    tolerance: Duration,
}

impl WebhookVerifier {
    /// By any of these secrets.
    pub fn new(secrets: Vec<String>, tolerance: Duration) -> Self {
        Self { secrets, tolerance }
    }

    /// Whether a header has a fresh signature of the body. Compared in constant time.
    pub(crate) fn verify(&self, signature: &str, body: &[u8], now: Timestamp) -> bool {
        let parts: Vec<(&str, &str)> = signature.split(',').filter_map(|part| part.trim().split_once('=')).collect();
        let at = parts.iter().find(|(name, _)| *name == "t").map(|(_, value)| *value);
        let Some((text, at)) =
            at.and_then(|text| Some((text, OffsetDateTime::from_unix_timestamp(text.parse().ok()?).ok()?)))
        else {
            return false;
        };
        if (now.get() - at).abs() > self.tolerance {
            return false;
        }
        let given = parts
            .iter()
            .filter(|(name, _)| *name == "v1")
            .filter_map(|(_, value)| base16ct::mixed::decode_vec(value).ok());
        let given: Vec<Vec<u8>> = given.filter(|given| given.len() == LENGTH).collect();
        // However many a stranger sends, the body is read once for each secret.
        self.secrets.iter().any(|secret| {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
            mac.update(text.as_bytes());
            mac.update(b".");
            mac.update(body);
            let made = mac.finalize().into_bytes();
            given.iter().any(|given| bool::from(made.as_slice().ct_eq(given)))
        })
    }
}

impl std::fmt::Debug for WebhookVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookVerifier").field("tolerance", &self.tolerance).finish_non_exhaustive()
    }
}

/// Signs for tests.
#[cfg(test)]
pub(crate) fn signed(secret: &str, at: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(format!("{at}.{body}").as_bytes());
    format!("t={at},v1={}", base16ct::lower::encode_string(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;
    const BODY: &str = r#"{"id":"e1"}"#;

    fn is_good(signature: &str) -> bool {
        let now = Timestamp::from_unix_micros(NOW * 1_000_000).expect("in range");
        let signatures = WebhookVerifier::new(vec!["new".to_owned(), "old".to_owned()], TOLERANCE);
        signatures.verify(signature, BODY.as_bytes(), now)
    }

    #[test]
    fn an_operator_sets_how_old_a_signature_may_be() {
        let (now, secrets) = (Timestamp::from_unix_micros(NOW * 1_000_000).expect("in range"), vec!["s".to_owned()]);
        let signatures = WebhookVerifier::new(secrets, Duration::seconds(5));
        let good = [5, 6].map(|age| signatures.verify(&signed("s", NOW - age, BODY), BODY.as_bytes(), now));
        assert_eq!(good, [true, false]);
    }

    #[test]
    fn only_a_fresh_signature_over_these_bytes_is_taken() {
        for secret in ["new", "old"] {
            assert!(is_good(&signed(secret, NOW, BODY)), "{secret}");
        }
        let both = format!("{},{}", signed("stranger", NOW, BODY), &signed("old", NOW, BODY)[13..]);
        assert!(is_good(&both), "one of several");
        for (what, signature) in [
            ("empty", String::new()),
            ("a stranger's", signed("stranger", NOW, BODY)),
            ("another body's", signed("new", NOW, "{}")),
            ("too old", signed("new", NOW - 301, BODY)),
            ("of the future", signed("new", NOW + 301, BODY)),
            ("without a time", signed("new", NOW, BODY)[13..].to_owned()),
            ("of another time", signed("new", NOW, BODY).replace("t=1800000000", "t=1800000001")),
            ("no hexadecimal", format!("t={NOW},v1=zz")),
            ("no signature", format!("t={NOW},v1=")),
            ("half of one", signed("new", NOW, BODY)[..45].to_owned()),
            ("thousands of none", format!("t={NOW}{}", ",v1=".repeat(4_000))),
            ("of another scheme", signed("new", NOW, BODY).replace("v1=", "v0=")),
        ] {
            assert!(!is_good(&signature), "{what}");
        }
    }
}
