//! Whose token it is.

use std::collections::HashMap;

use axum::body::Body;
use axum::http::{HeaderMap, Response, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Validation;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::answer::unauthorized;
use super::config::{Jwt, Known};

/// The groups of the consumer whose key has signed the token of a request; an answer where there is none.
pub(super) fn groups<'a>(
    jwt: &Jwt,
    known: &'a HashMap<String, Known>,
    headers: &HeaderMap,
) -> Result<&'a [String], Box<Response<Body>>> {
    let refuse = |body: Value| Box::new(unauthorized(&body));
    let message = |text: &str| refuse(json!({ "message": text }));
    let token = bearer(headers).ok_or_else(|| message("Unauthorized"))?;
    let parts: Vec<&str> = token.split('.').collect();
    let [head, claims, _] = parts.as_slice() else { return Err(message("Bad token; invalid JSON")) };
    let read = |part: &str| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok() };
    let (Some(head), Some(claims)) = (read(head), read(claims)) else { return Err(message("Bad token; invalid JSON")) };
    let name = &jwt.key_claim_name;
    let kid = [&claims[name], &head[name]].into_iter().find(|value| !value.is_null());
    let Some(kid) = kid.and_then(Value::as_str) else {
        return Err(message(&format!("No mandatory '{name}' in claims")));
    };
    let Some(known) = known.get(kid) else { return Err(message(&format!("No credentials found for given '{name}'"))) };
    if head["alg"] != format!("{:?}", known.algorithm) {
        return Err(message("Invalid algorithm"));
    }
    // The signature alone: Kong has words of its own for the claims.
    let mut validation = Validation::new(known.algorithm);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    jsonwebtoken::decode::<Value>(token, &known.key, &validation).map_err(|_| message("Invalid signature"))?;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let Some(exp) = claims["exp"].as_i64() else { return Err(refuse(json!({ "exp": "must be a number" }))) };
    if exp <= now {
        return Err(refuse(json!({ "exp": "token expired" })));
    }
    let longest = i64::try_from(jwt.maximum_expiration).unwrap_or(i64::MAX);
    if longest > 0 && exp - now > longest {
        return Err(refuse(json!({ "exp": "exceeds maximum allowed expiration" })));
    }
    Ok(&known.groups)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let token = value.strip_prefix("Bearer ").or(value.strip_prefix("bearer "))?;
    Some(token.trim()).filter(|token| !token.is_empty())
}
