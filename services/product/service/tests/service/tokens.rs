//! The tokens that the service accepts, and the reload of its keys.

use devstack::testing::{App, token, until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{self, assert_problem, product};

#[tokio::test]
async fn only_a_valid_token_of_the_right_role_is_accepted() {
    let app = app::start().await;
    let keys = &app.spec.keys;
    let post = async |authorization: &str| {
        let headers = if authorization.is_empty() { vec![] } else { vec![("authorization", authorization)] };
        app.send(Method::POST, "/v1/products", Some(product("x")), &headers).await
    };
    let change = |change: fn(&mut Value)| format!("Bearer {}", token(keys, "admin", change));
    let now = || time::OffsetDateTime::now_utc().unix_timestamp();
    for authorization in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer garbage".to_owned(),
        "Basic dTpw".to_owned(),
        change(|claims| claims["iss"] = json!("other")),
        change(|claims| claims["aud"] = json!("other")),
        change(|claims| claims["exp"] = json!(1)),
        change(|claims| {
            claims.as_object_mut().expect("claims").remove("exp");
        }),
        change(|claims| {
            claims.as_object_mut().expect("claims").remove("sub");
        }),
        format!("Bearer {}", token(keys, "admin", |claims| claims["nbf"] = json!(now() + 600))),
        format!("Bearer {}", token(keys, "customer", |_| {})),
        format!("Bearer {}", unsigned(keys)),
        format!("Bearer {}", signed_with_the_public_key(keys)),
    ] {
        let answer = post(&authorization).await;
        assert_problem(&answer, 401, "UNAUTHENTICATED");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    let customer = keys.token("customer", "c").expect("signed");
    assert_problem(&post(&format!("Bearer {customer}")).await, 403, "FORBIDDEN");
    assert_eq!(post(&format!("bearer {}", keys.token("admin", "a").expect("signed"))).await.status, 201);
    assert_eq!(app.send(Method::GET, "/v1/products", None, &[("authorization", "Bearer garbage")]).await.status, 200);
}

#[tokio::test]
async fn keys_are_reloaded_unless_their_file_is_invalid() {
    let mut spec = devstack::testing::Servers::from_env().service("product", app::PROGRAM).await.expect("prepared");
    let folder = spec.log.with_extension("keys");
    spec.keys = devstack::keys::Keys::in_folder(&folder).expect("keys");
    let app = App::of(spec).await;
    let keys = app.spec.keys.clone();
    let bearer = format!("Bearer {}", keys.token("admin", "a").expect("signed"));
    let status = async || app.send(Method::GET, "/v1/admin/products", None, &[("authorization", &bearer)]).await.status;
    assert_eq!(status().await, 200);
    let valid = std::fs::read_to_string(keys.jwks()).expect("keys");

    // Another key replaces the withdrawn one.
    std::fs::write(keys.jwks(), valid.replace("admin-1", "admin-2")).expect("written");
    until("the withdrawn key is rejected", async || status().await == 401).await;
    std::fs::write(keys.jwks(), &valid).expect("written");
    until("the key is accepted again", async || status().await == 200).await;
    std::fs::write(keys.jwks(), "{ broken").expect("written");
    until("the invalid file is reported", async || app.process.output().contains("the current ones stay")).await;
    assert_eq!(status().await, 200);
}

/// Returns a token with the admin's claims and `alg: none`.
fn unsigned(keys: &devstack::keys::Keys) -> String {
    use base64::Engine;
    let token = keys.token("admin", "a").expect("signed");
    let claims = token.split('.').nth(1).expect("three parts");
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"admin-1"}"#);
    format!("{header}.{claims}.")
}

/// Returns a token with the admin's claims, signed by HS256 with the public key as the secret.
fn signed_with_the_public_key(keys: &devstack::keys::Keys) -> String {
    let set: Value = serde_json::from_slice(&std::fs::read(keys.jwks()).expect("keys")).expect("JSON");
    let public = set["keys"][0]["x"].as_str().expect("a public key");
    let header = jsonwebtoken::Header { kid: Some("admin-1".to_owned()), ..jsonwebtoken::Header::default() };
    let secret = jsonwebtoken::EncodingKey::from_secret(public.as_bytes());
    jsonwebtoken::encode(&header, &devstack::keys::Keys::claims("admin", "a"), &secret).expect("signed")
}
