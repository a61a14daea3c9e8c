//! Settings take effect, and invalid ones stop the start.

use devstack::testing::{App, Servers};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::PROGRAM;
use crate::http::{EMAIL, PASSWORD, links, log_in, post, register, token};

#[tokio::test]
async fn it_starts_and_is_ready() {
    let app = App::start("user", PROGRAM, &[]).await;
    let answer = app.client.get(format!("{}/metrics", app.spec.internal_url())).send().await.expect("answered");
    assert_eq!(answer.status(), 200);
}

/// Returns the seconds until a time.
fn seconds_until(time: &Value) -> f64 {
    let time = time.as_str().and_then(|time| OffsetDateTime::parse(time, &Rfc3339).ok()).expect("a time");
    (time - OffsetDateTime::now_utc()).as_seconds_f64()
}

#[tokio::test]
async fn lifetimes_and_free_attempts_are_settings() {
    let settings = [
        ("ACCESS_TOKEN_TTL", "100s"),
        ("SESSION_TTL", "2000s"),
        ("VERIFICATION_LINK_TTL", "300s"),
        ("LOGIN_THROTTLE_FREE_ATTEMPTS", "1"),
        ("LOGIN_THROTTLE_MAX_DELAY", "3600s"),
    ];
    let app = App::start("user", PROGRAM, &settings).await;
    register(&app).await;
    let link = links(&app).await.remove(0);
    assert!((200.0..=300.0).contains(&seconds_until(&link.payload["link"]["expireTime"])), "{}", link.payload);
    let body = json!({ "token": token(&link), "password": PASSWORD });
    assert_eq!(post(&app, "/v1/users/verify-email", body).await.status, 200);
    let tokens = log_in(&app).await["tokens"].take();
    let (access, refresh) = (seconds_until(&tokens["accessExpireTime"]), seconds_until(&tokens["refreshExpireTime"]));
    assert!((50.0..=100.0).contains(&access) && (1_900.0..=2_000.0).contains(&refresh), "{access} and {refresh}");
    let guess = json!({ "email": EMAIL, "password": "a guess of a stranger" });
    let answers =
        [post(&app, "/v1/sessions/log-in", guess.clone()).await, post(&app, "/v1/sessions/log-in", guess).await];
    assert_eq!(answers.map(|answer| answer.status), [401, 429]);
}

#[tokio::test]
async fn all_invalid_settings_are_reported_at_once() {
    let mut spec = Servers::from_env().service("user", PROGRAM).await.expect("prepared");
    let invalid = [("SESSION_TTL", "10"), ("HTTP_TIMEOUT", "soon"), ("RUST_LOG", "mart=loud"), ("RUST_BACKTRACE", "0")];
    spec.more = invalid.map(|(name, value)| (name.into(), value.into())).into();
    let error = spec.start_ready().await.map(|_| ()).expect_err("it must not start").to_string();
    for fault in ["3 settings are invalid", "SESSION_TTL: ", "HTTP_TIMEOUT: ", "RUST_LOG: "] {
        assert!(error.contains(fault), "{fault} in {error}");
    }
}

#[tokio::test]
async fn an_invalid_setting_stops_the_start() {
    for (name, value, expected) in [
        ("ACCESS_TOKEN_TTL", "901s", "from 1m to 15m"),
        ("ACCESS_TOKEN_TTL", "59s", "from 1m to 15m"),
        ("VERIFICATION_LINK_TTL", "3601s", "from 10ms to 1h"),
        ("REFRESH_GRACE_PERIOD", "61s", "from 10ms to 1m"),
        (
            "LOGIN_THROTTLE_RESET_AFTER",
            "899s",
            "LOGIN_THROTTLE_RESET_AFTER: expected at least LOGIN_THROTTLE_MAX_DELAY",
        ),
        ("SESSION_TTL", "for ever", "SESSION_TTL: \"for ever\": expected a duration such as 15m or 10s"),
        ("LOGIN_THROTTLE_FREE_ATTEMPTS", "0", "LOGIN_THROTTLE_FREE_ATTEMPTS: \"0\": expected a number from 1 to 10000"),
        ("PASSWORD_HASH_CONCURRENCY", "0", "PASSWORD_HASH_CONCURRENCY: \"0\": expected a number from 1 to 64"),
        ("TOKEN_SIGNING_KEYS", "", "TOKEN_SIGNING_KEYS"),
    ] {
        let mut spec = Servers::from_env().service("user", PROGRAM).await.expect("prepared");
        // Without a backtrace, the last lines of the output are the message.
        spec.more = [(name, value), ("RUST_BACKTRACE", "0")].map(|(name, value)| (name.into(), value.into())).into();
        let error = spec.start_ready().await.map(|_| ()).expect_err("it must not start").to_string();
        assert!(error.contains(name) && error.contains(expected), "{name}={value}: {error}");
    }
}
