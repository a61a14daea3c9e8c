//! Verifies access tokens, as Kong's plugin `jwt` does.

use std::collections::HashMap;

use axum::body::Body;
use axum::http::{HeaderMap, Response, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Validation;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::answer::{invalid_token, unauthorized};
use super::config::{ConsumerKey, Jwt};

/// The algorithms that Kong knows.
const ALGORITHMS: [&str; 13] = [
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA",
];

/// Verifies the token of a request and returns the groups of its consumer, or the error response.
pub(super) fn groups<'a>(
    jwt: &Jwt,
    keys: &'a HashMap<String, ConsumerKey>,
    headers: &HeaderMap,
) -> Result<&'a [String], Box<Response<Body>>> {
    let reject = |body: Value| Box::new(invalid_token(&body));
    let message = |text: &str| reject(json!({ "message": text }));
    let token = bearer(headers).ok_or_else(|| Box::new(unauthorized(&json!({ "message": "Unauthorized" }))))?;
    let parts: Vec<&str> = token.split('.').collect();
    let [head, claims, _] = parts.as_slice() else { return Err(message("Bad token; invalid JSON")) };
    let read = |part: &str| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok() };
    let (Some(head), Some(claims)) = (read(head), read(claims)) else { return Err(message("Bad token; invalid JSON")) };
    if !head["alg"].as_str().is_some_and(|algorithm| ALGORITHMS.contains(&algorithm)) {
        return Err(message("Bad token; invalid alg"));
    }
    let name = &jwt.key_claim_name;
    let kid = [&claims[name], &head[name]].into_iter().find(|value| !value.is_null());
    let Some(kid) = kid.and_then(Value::as_str) else {
        return Err(message(&format!("No mandatory '{name}' in claims")));
    };
    let Some(key) = keys.get(kid) else { return Err(message(&format!("No credentials found for given '{name}'"))) };
    if head["alg"] != format!("{:?}", key.algorithm) {
        return Err(message("Invalid algorithm"));
    }
    // Only the signature is validated here. The claims are checked below, because Kong has its own messages for them.
    let mut validation = Validation::new(key.algorithm);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    jsonwebtoken::decode::<Value>(token, &key.key, &validation).map_err(|_| message("Invalid signature"))?;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let Some(exp) = claims["exp"].as_i64() else { return Err(reject(json!({ "exp": "must be a number" }))) };
    if exp <= now {
        return Err(reject(json!({ "exp": "token expired" })));
    }
    let longest = i64::try_from(jwt.maximum_expiration).unwrap_or(i64::MAX);
    if longest > 0 && exp - now > longest {
        return Err(reject(json!({ "exp": "exceeds maximum allowed expiration" })));
    }
    Ok(&key.groups)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let token = value.strip_prefix("Bearer ").or(value.strip_prefix("bearer "))?;
    Some(token.trim()).filter(|token| !token.is_empty())
}
