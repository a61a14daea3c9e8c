//! The tokens that the facts name: valid, expired and forged ones.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use devstack::keys::Keys;
use serde_json::{Value, json};

/// Returns the value of the header Authorization for a kind of token.
pub(crate) fn authorization(keys: &Keys, kind: &str) -> String {
    let claims = |role: &str| Keys::claims(role, "a-user");
    let expiring_in = |seconds: i64| {
        let mut claims = claims("customer");
        let now = claims["iat"].as_i64().expect("a time");
        claims["exp"] = json!(now + seconds);
        keys.sign("customer", &claims)
    };
    let newest = |role: &str| keys.all().expect("keys").into_iter().rfind(|key| key.role == role).expect("a key");
    let unsigned = |header: Value, claims: &Value| {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(&header), part(claims))
    };
    let token = match kind {
        "basic" => return "Basic c29tZWJvZHk6c2VjcmV0".to_owned(),
        "garbage" => "a.b.c".to_owned(),
        "unknown key" => keys.sign_with_kid(Some("unknown-1"), "customer", &claims("customer")).expect("signed"),
        "customer under the key of admins" => {
            keys.sign_with_kid(Some(&newest("admin").kid()), "customer", &claims("admin")).expect("signed")
        }
        "customer claiming admin" => keys.sign("customer", &claims("admin")).expect("signed"),
        "expired" => expiring_in(-60).expect("signed"),
        "good for two hours" => expiring_in(7_200).expect("signed"),
        "tampered" => {
            let valid = keys.token("customer", "a-user").expect("signed");
            let (head, rest) = valid.split_once('.').expect("three parts");
            let signature = rest.split_once('.').expect("three parts").1;
            format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(claims("admin").to_string()))
        }
        "alg none" => unsigned(json!({ "alg": "none", "kid": newest("customer").kid() }), &claims("customer")),
        "HS256 with the public key" => {
            let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
            header.kid = Some(newest("customer").kid());
            let secret = newest("customer").public_pem().expect("a key");
            let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
            jsonwebtoken::encode(&header, &claims("customer"), &key).expect("signed")
        }
        role => keys.token(role, "a-user").expect("a role"),
    };
    format!("Bearer {token}")
}
