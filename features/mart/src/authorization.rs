//! Every operation of the contracts under every kind of token: what is expected follows from the contract alone.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use devstack::contracts::{Operation, operations};
use devstack::keys::{Keys, ROLES};
use features::keys;
use serde_json::{Value, json};

use crate::mart;

/// What an operation with roles answers to a token that proves nothing.
const UNAUTHENTICATED: u16 = 401;
/// What it answers to a token of another role.
const FORBIDDEN: u16 = 403;

/// Tokens that nobody may be let in with, each with its name.
fn worthless() -> Vec<(&'static str, Option<String>)> {
    let signed = |signer: &str, role: &str, change: &dyn Fn(&mut Value)| {
        let mut claims = Keys::claims(role, "somebody");
        change(&mut claims);
        keys().sign(signer, &claims).expect("signed")
    };
    let unsigned = |header: Value| {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(&header), part(&Keys::claims("admin", "somebody")))
    };
    let hour_ago = |claims: &mut Value| {
        let then = claims["iat"].as_i64().unwrap_or_default() - 3_600;
        (claims["iat"], claims["nbf"], claims["exp"]) = (json!(then), json!(then), json!(then + 900));
    };
    let good = keys().token("admin", "somebody").expect("signed");
    let (head, signature) = good.rsplit_once('.').expect("three parts");
    let claims = URL_SAFE_NO_PAD.encode(Keys::claims("admin", "somebody else").to_string());
    let header = head.split('.').next().unwrap_or_default();
    let jwks = std::fs::read_to_string(keys().jwks()).expect("the public keys");
    let jwks: Value = serde_json::from_str(&jwks).expect("JSON");
    let public = jwks["keys"][0]["x"].as_str().unwrap_or_default().to_owned();
    let with_secret = |secret: &[u8]| {
        let header = jsonwebtoken::Header { kid: Some("admin-1".to_owned()), ..jsonwebtoken::Header::default() };
        let key = jsonwebtoken::EncodingKey::from_secret(secret);
        jsonwebtoken::encode(&header, &Keys::claims("admin", "somebody"), &key).expect("signed")
    };
    vec![
        ("no token", None),
        ("no token at all", Some("nonsense".to_owned())),
        ("expired", Some(signed("admin", "admin", &hour_ago))),
        ("of another audience", Some(signed("admin", "admin", &|claims| claims["aud"] = json!("another")))),
        ("of another issuer", Some(signed("admin", "admin", &|claims| claims["iss"] = json!("another")))),
        ("a customer's key that claims admin", Some(signed("customer", "admin", &|_| {}))),
        ("an admin's key that claims customer", Some(signed("admin", "customer", &|_| {}))),
        ("under a key that nobody knows", Some(unsigned(json!({ "alg": "EdDSA", "kid": "another-1" })))),
        ("under no key", Some(unsigned(json!({ "alg": "EdDSA" })))),
        ("alg none", Some(unsigned(json!({ "alg": "none", "kid": "admin-1" })))),
        ("HS256 with the public key", Some(with_secret(&URL_SAFE_NO_PAD.decode(&public).expect("base64")))),
        ("HS256 with the public key's text", Some(with_secret(public.as_bytes()))),
        ("with another's claims under its signature", Some(format!("{header}.{claims}.{signature}"))),
    ]
}

/// A path of the operation about things that are not there.
fn path(operation: &Operation) -> String {
    let segment = |segment: &str| {
        let id = "00000000-0000-7000-8000-00000000abcd";
        if segment.starts_with('{') { id.to_owned() } else { segment.to_owned() }
    };
    operation.path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_operation_lets_in_whom_its_contract_names_and_nobody_else() {
    let mut mart = mart(0);
    let (mut asked, mut wrong) = (0, Vec::new());
    let operations = operations();
    assert!(operations.len() > 25, "only {} operations were found", operations.len());
    let worthless = worthless();
    for operation in &operations {
        let (path, restricted) = (path(operation), !operation.roles.is_empty());
        for (name, token) in &worthless {
            let status = mart.send_under(token.as_deref(), &operation.method, &path).await;
            asked += 1;
            if (status == UNAUTHENTICATED) != restricted || status == FORBIDDEN {
                wrong.push(format!("{}: {name} is answered with {status}", operation.name));
            }
        }
        for role in ROLES {
            let token = keys().token(role, "somebody").expect("signed");
            let status = mart.send_under(Some(&token), &operation.method, &path).await;
            asked += 1;
            let allowed = !restricted || operation.roles.iter().any(|allowed| allowed == role);
            let refused = status == UNAUTHENTICATED || status == FORBIDDEN;
            if refused == allowed || (!allowed && status != FORBIDDEN) || status >= 500 {
                wrong.push(format!("{}: a token of the role {role} is answered with {status}", operation.name));
            }
        }
    }
    assert!(wrong.is_empty(), "of {asked} answers:\n{}", wrong.join("\n"));
}
