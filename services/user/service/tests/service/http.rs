//! The operations over HTTP, with the real store, hasher and signer.

use std::time::Duration;

use devstack::call::{KafkaEvent, Reader};
use devstack::testing::App;
use futures::future::join_all;
use rdkafka::Offset;
use reqwest::Method;
use serde_json::{Value, json};

use crate::PROGRAM;

pub(crate) const EMAIL: &str = "ayesha@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) async fn post(app: &App, path: &str, body: Value) -> devstack::testing::Answer {
    app.call(None, Method::POST, path, Some(body)).await
}

pub(crate) async fn register(app: &App) {
    let body = json!({ "email": EMAIL, "password": PASSWORD, "name": "Ayesha" });
    assert_eq!(post(app, "/v1/users/register", body).await.status, 200);
}

/// Returns all links that were published so far.
pub(crate) async fn links(app: &App) -> Vec<KafkaEvent> {
    app.flushed().await;
    let (brokers, topic) = (app.spec.brokers.clone(), format!("{}mart.user_link.v1", app.spec.topic_prefix));
    let read = move || {
        let reader = Reader::new(&brokers, &[topic], Offset::Beginning).expect("assigned");
        reader.read_to_end().expect("read")
    };
    tokio::task::spawn_blocking(read).await.expect("read")
}

pub(crate) fn token(link: &KafkaEvent) -> &str {
    link.payload["link"]["token"].as_str().expect("a token")
}

pub(crate) async fn log_in(app: &App) -> Value {
    let answer = post(app, "/v1/sessions/log-in", json!({ "email": EMAIL, "password": PASSWORD })).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[tokio::test]
async fn an_access_token_grants_access_to_own_data_only() {
    let app = App::start("user", PROGRAM, &[]).await;
    register(&app).await;
    let sent = links(&app).await;
    assert_eq!(
        post(&app, "/v1/users/verify-email", json!({ "token": token(&sent[0]), "password": PASSWORD })).await.status,
        200
    );
    let opened = log_in(&app).await;
    let access = format!("Bearer {}", opened["tokens"]["accessToken"].as_str().expect("a token"));
    let me = app.send(Method::GET, "/v1/me", None, &[("authorization", &access)]).await;
    assert_eq!((me.status, &me.body["user"]["email"]), (200, &json!(EMAIL)), "{}", me.body);
    let users = app.send(Method::GET, "/v1/admin/users", None, &[("authorization", &access)]).await;
    assert_eq!(users.status, 403, "a customer is no admin");
    let listed = app.admin(Method::GET, "/v1/admin/users", None).await;
    assert_eq!(listed.body["users"], json!([me.body["user"]]));
    // The log contains no secret.
    let log = std::fs::read_to_string(&app.spec.log).expect("a log");
    for secret in [PASSWORD, token(&sent[0]), opened["tokens"]["refreshToken"].as_str().expect("a token")] {
        assert!(!log.contains(secret), "a secret is in the log");
    }
}

#[tokio::test]
async fn concurrent_verifications_of_one_address_create_one_user() {
    let app = App::start("user", PROGRAM, &[]).await;
    register(&app).await;
    register(&app).await;
    let sent = links(&app).await;
    assert_eq!(sent.len(), 2);
    let verifications = join_all(
        sent.iter()
            .cycle()
            .take(20)
            .map(|link| post(&app, "/v1/users/verify-email", json!({ "token": token(link), "password": PASSWORD }))),
    );
    let statuses: Vec<u16> = verifications.await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(app.admin(Method::GET, "/v1/admin/users", None).await.body["users"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn concurrent_refreshes_of_tabs_all_succeed() {
    let app = App::start("user", PROGRAM, &[]).await;
    register(&app).await;
    let sent = links(&app).await;
    assert_eq!(
        post(&app, "/v1/users/verify-email", json!({ "token": token(&sent[0]), "password": PASSWORD })).await.status,
        200
    );
    let shared = log_in(&app).await["tokens"]["refreshToken"].clone();
    let tabs = join_all((0..8).map(|_| post(&app, "/v1/sessions/refresh", json!({ "refreshToken": shared }))));
    for tab in tabs.await {
        assert_eq!(tab.status, 200, "{}", tab.body);
        let next =
            post(&app, "/v1/sessions/refresh", json!({ "refreshToken": tab.body["tokens"]["refreshToken"] })).await;
        assert_eq!(next.status, 200, "{}", next.body);
    }
}

#[tokio::test]
async fn rotation_of_keys_keeps_valid_tokens_accepted() {
    let mut spec = devstack::testing::Servers::from_env().service("user", PROGRAM).await.expect("prepared");
    // Own keys: the other tests sign with theirs at the same time.
    spec.keys = devstack::keys::Keys::in_folder(&spec.log.with_extension("keys")).expect("keys");
    let app = App::of(spec).await;
    register(&app).await;
    let sent = links(&app).await;
    let body = json!({ "token": token(&sent[0]), "password": PASSWORD });
    assert_eq!(post(&app, "/v1/users/verify-email", body).await.status, 200);
    let kid = |opened: &Value| {
        let header = jsonwebtoken::decode_header(opened["tokens"]["accessToken"].as_str().expect("a token"));
        header.expect("a header").kid.expect("a key")
    };
    let bearer = |opened: &Value| format!("Bearer {}", opened["tokens"]["accessToken"].as_str().expect("a token"));
    let before = log_in(&app).await;
    assert_eq!(kid(&before), "customer-1");
    let keys = app.spec.keys.clone();
    let accepted = async |opened: &Value| {
        let me = app.send(Method::GET, "/v1/me", None, &[("authorization", &bearer(opened))]).await;
        me.status == 200
    };
    let published = async || {
        let set = app.send(Method::GET, "/.well-known/jwks.json", None, &[]).await;
        set.body["keys"].to_string()
    };

    keys.publish_next().expect("published");
    devstack::testing::until("the new keys are published", async || published().await.contains("customer-2")).await;
    assert_eq!(kid(&log_in(&app).await), "customer-1", "a new key is published before it signs");

    keys.sign_with_next().expect("switched");
    let after = log_in(&app).await;
    assert_eq!(kid(&after), "customer-2");
    assert!(accepted(&before).await && accepted(&after).await);

    assert_eq!(keys.withdraw(devstack::keys::MAX_TOKEN_LIFETIME).expect("checked"), Vec::<String>::new());
    assert_eq!(keys.withdraw(Duration::ZERO).expect("withdrawn"), ["admin-1", "customer-1"]);
    devstack::testing::until("the old keys are withdrawn", async || !published().await.contains("customer-1")).await;
    assert!(!accepted(&before).await && accepted(&after).await);
}

#[tokio::test]
async fn an_operator_creates_an_admin_or_gets_the_faults() {
    let app = App::start("user", PROGRAM, &[]).await;
    let create = async |email: &str, password: &str| {
        let created = devstack::demo_users::create_admin(&app.spec, email, "Admin", password).await;
        created.map_err(|error| error.to_string())
    };
    for (email, password, reason) in
        [("admin", PASSWORD, "email: "), (EMAIL, "short", "password: "), (EMAIL, "aaaaaaaaaaaa", "easy to guess")]
    {
        let error = create(email, password).await.expect_err("invalid");
        assert!(error.contains(reason) && !error.contains(password), "{error}");
    }
    assert_eq!(create(EMAIL, PASSWORD).await, Ok(()));
    let again = create(EMAIL, "another horse battery").await.expect_err("the address has a user");
    assert!(again.contains("already"), "{again}");
    let opened = log_in(&app).await;
    let access = format!("Bearer {}", opened["tokens"]["accessToken"].as_str().expect("a token"));
    let users = app.send(Method::GET, "/v1/admin/users", None, &[("authorization", &access)]).await;
    assert_eq!(users.body["users"][0]["role"], "ROLE_ADMIN", "{}", users.body);
}

#[tokio::test]
async fn guesses_from_one_network_are_throttled() {
    // Behind one trusted proxy, which appends the client's address.
    let app = App::start("user", PROGRAM, &[("HTTP_TRUSTED_PROXY_HOPS", "1")]).await;
    let guess = async |nth: usize, from: &str| {
        let body = json!({ "email": format!("unknown{nth}@example.com"), "password": "a wrong password" });
        let headers = [("x-forwarded-for", from), ("content-type", "application/json")];
        app.send(Method::POST, "/v1/sessions/log-in", Some(body), &headers).await.status
    };
    for nth in 0..30 {
        // A forged address of the client precedes the address that the proxy appends.
        assert_eq!(guess(nth, &format!("198.51.100.{nth}, 203.0.113.7")).await, 401, "{nth}");
    }
    assert_eq!(guess(30, "203.0.113.7").await, 429);
    assert_eq!(guess(31, "203.0.113.8").await, 401, "another network");
}
