//! Verifies the signatures of Stripe's and the sandbox's webhooks.
//!
//! A signature is `t=<seconds since 1970>,v1=<hex>[,v1=…]`. Each `v1` is an HMAC-SHA256 of `<t>.<body>`.

use hmac::{Hmac, KeyInit, Mac};
use mart_kernel::Timestamp;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use time::{Duration, OffsetDateTime};

/// The default for the longest age of a signature, as in Stripe's libraries.
pub const TOLERANCE: Duration = Duration::seconds(300);
/// The length of a signature in bytes.
const LENGTH: usize = 32;

/// Verifies the signatures of a provider's webhooks.
#[derive(Clone)]
pub struct WebhookVerifier {
    /// The secrets; during a rotation the new and the old one.
    secrets: Vec<String>,
    /// The longest age of a signature. It may also be that far in the future, because clocks differ.
    tolerance: Duration,
}

impl WebhookVerifier {
    /// Creates a verifier. A signature with any of the secrets is valid.
    pub fn new(secrets: Vec<String>, tolerance: Duration) -> Self {
        Self { secrets, tolerance }
    }

    /// Returns whether the header has a valid and recent signature of the body. Compares in constant time.
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
        let signatures = parts
            .iter()
            .filter(|(name, _)| *name == "v1")
            .filter_map(|(_, value)| base16ct::mixed::decode_vec(value).ok());
        let signatures: Vec<Vec<u8>> = signatures.filter(|bytes| bytes.len() == LENGTH).collect();
        // The body is hashed once per secret, however many signatures the header has.
        self.secrets.iter().any(|secret| {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
            mac.update(text.as_bytes());
            mac.update(b".");
            mac.update(body);
            let expected = mac.finalize().into_bytes();
            signatures.iter().any(|signature| bool::from(expected.as_slice().ct_eq(signature)))
        })
    }
}

impl std::fmt::Debug for WebhookVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookVerifier").field("tolerance", &self.tolerance).finish_non_exhaustive()
    }
}

/// Returns a signature, for tests.
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

    fn is_valid(signature: &str) -> bool {
        let now = Timestamp::from_unix_micros(NOW * 1_000_000).expect("in range");
        let verifier = WebhookVerifier::new(vec!["new".to_owned(), "old".to_owned()], TOLERANCE);
        verifier.verify(signature, BODY.as_bytes(), now)
    }

    #[test]
    fn the_tolerance_limits_the_age_of_a_signature() {
        let (now, secrets) = (Timestamp::from_unix_micros(NOW * 1_000_000).expect("in range"), vec!["s".to_owned()]);
        let verifier = WebhookVerifier::new(secrets, Duration::seconds(5));
        let valid = [5, 6].map(|age| verifier.verify(&signed("s", NOW - age, BODY), BODY.as_bytes(), now));
        assert_eq!(valid, [true, false]);
    }

    #[test]
    fn only_a_recent_signature_of_this_body_is_valid() {
        for secret in ["new", "old"] {
            assert!(is_valid(&signed(secret, NOW, BODY)), "{secret}");
        }
        let both = format!("{},{}", signed("unknown", NOW, BODY), &signed("old", NOW, BODY)[13..]);
        assert!(is_valid(&both), "one of several");
        for (case, signature) in [
            ("empty", String::new()),
            ("another secret", signed("unknown", NOW, BODY)),
            ("another body", signed("new", NOW, "{}")),
            ("too old", signed("new", NOW - 301, BODY)),
            ("in the future", signed("new", NOW + 301, BODY)),
            ("without a time", signed("new", NOW, BODY)[13..].to_owned()),
            ("another time", signed("new", NOW, BODY).replace("t=1800000000", "t=1800000001")),
            ("not hexadecimal", format!("t={NOW},v1=zz")),
            ("empty signature", format!("t={NOW},v1=")),
            ("truncated", signed("new", NOW, BODY)[..45].to_owned()),
            ("thousands of empty ones", format!("t={NOW}{}", ",v1=".repeat(4_000))),
            ("another scheme", signed("new", NOW, BODY).replace("v1=", "v0=")),
        ] {
            assert!(!is_valid(&signature), "{case}");
        }
    }
}
