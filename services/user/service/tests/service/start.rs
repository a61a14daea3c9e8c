//! What an operator sets is so, and what makes no sense does not start.

use devstack::testing::{App, Servers};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::PROGRAM;
use crate::http::{EMAIL, PASSWORD, links, log_in, post, register, token};

#[tokio::test]
async fn it_starts_and_is_ready() {
    let app = App::start("user", PROGRAM, &[]).await;
    let answer = app.client.get(format!("{}/metrics", app.setting.internal_url())).send().await.expect("answered");
    assert_eq!(answer.status(), 200);
}

/// How many seconds are left until a time.
fn left(time: &Value) -> f64 {
    let time = time.as_str().and_then(|time| OffsetDateTime::parse(time, &Rfc3339).ok()).expect("a time");
    (time - OffsetDateTime::now_utc()).as_seconds_f64()
}

#[tokio::test]
async fn an_operator_sets_how_long_tokens_sessions_and_links_last_and_how_many_guesses_are_free() {
    let settings = [
        ("ACCESS_TOKEN_TTL", "100"),
        ("SESSION_TTL", "2000"),
        ("VERIFICATION_LINK_TTL", "300"),
        ("LOGIN_THROTTLE_FREE_ATTEMPTS", "1"),
        ("LOGIN_THROTTLE_MAX_DELAY", "3600"),
    ];
    let app = App::start("user", PROGRAM, &settings).await;
    register(&app).await;
    let link = links(&app).await.remove(0);
    assert!((200.0..=300.0).contains(&left(&link.payload["link"]["expireTime"])), "{}", link.payload);
    let proof = json!({ "token": token(&link), "password": PASSWORD });
    assert_eq!(post(&app, "/v1/users/verify-email", proof).await.status, 200);
    let tokens = log_in(&app).await["tokens"].take();
    let (access, refresh) = (left(&tokens["accessExpireTime"]), left(&tokens["refreshExpireTime"]));
    assert!((50.0..=100.0).contains(&access) && (1_900.0..=2_000.0).contains(&refresh), "{access} and {refresh}");
    let guess = json!({ "email": EMAIL, "password": "a guess of a stranger" });
    let answers =
        [post(&app, "/v1/sessions/log-in", guess.clone()).await, post(&app, "/v1/sessions/log-in", guess).await];
    assert_eq!(answers.map(|answer| answer.status), [401, 429]);
}

#[tokio::test]
async fn what_makes_no_sense_does_not_start() {
    for (name, value, named) in [
        ("ACCESS_TOKEN_TTL", "901", "ACCESS_TOKEN_TTL: expected 60 to 900 seconds"),
        ("ACCESS_TOKEN_TTL", "59", "ACCESS_TOKEN_TTL: expected 60 to 900 seconds"),
        ("VERIFICATION_LINK_TTL", "3601", "expected at most 3600 seconds: Kafka keeps a link no longer"),
        ("REFRESH_GRACE_PERIOD", "61", "REFRESH_GRACE_PERIOD: expected at most 60 seconds"),
        ("LOGIN_THROTTLE_RESET_AFTER", "899", "LOGIN_THROTTLE_RESET_AFTER: expected at least the 900 seconds of LOGIN_THROTTLE_MAX_DELAY"),
        ("SESSION_TTL", "for ever", "SESSION_TTL=\"for ever\": expected seconds"),
        ("LOGIN_THROTTLE_FREE_ATTEMPTS", "0", "LOGIN_THROTTLE_FREE_ATTEMPTS=\"0\": expected a number from 1 to 10000"),
        ("PASSWORD_HASH_CONCURRENCY", "0", "PASSWORD_HASH_CONCURRENCY=\"0\": expected a number from 1 to 64"),
        ("TOKEN_SIGNING_KEYS", "", "TOKEN_SIGNING_KEYS"),
    ] {
        let mut setting = Servers::of_this_run().service("user", PROGRAM).await.expect("prepared");
        // Its last lines are what it says to people.
        setting.more = [(name, value), ("RUST_BACKTRACE", "0")].map(|(name, value)| (name.into(), value.into())).into();
        let started = setting.start_ready().await.map(|_| ()).expect_err("it must not start").to_string();
        assert!(started.contains(named), "{name}={value}: {started}");
    }
}
