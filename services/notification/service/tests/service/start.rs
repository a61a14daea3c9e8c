//! Invalid settings stop the start, and the error contains no secret.

use devstack::testing::{App, Servers};

use crate::PROGRAM;

#[tokio::test]
async fn the_service_starts_without_a_mail_server() {
    let app = App::start_consumer("notification", PROGRAM, &["mart.order.v1"]).await;
    let answer = app.client.get(format!("{}/metrics", app.spec.internal_url())).send().await.expect("answered");
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn an_invalid_setting_stops_the_start() {
    let twilio = ("SMS_PROVIDER", "twilio");
    for (more, named) in [
        (&[("SMTP_URL", "")][..], "SMTP_URL"),
        (&[("SMTP_URL", "https://user:hunter2@mail.example")], "SMTP_URL"),
        (&[("MAIL_FROM", "no mailbox")], "MAIL_FROM"),
        (&[("SHOP_URL", "")], "SHOP_URL"),
        (&[("SHOP_URL", "shop.example")], "SHOP_URL"),
        (&[("SMS_PROVIDER", "pigeon")], "expected sandbox or twilio"),
        (&[("ENVIRONMENT", "production")], "the sandbox sends no text messages"),
        (&[twilio], "TWILIO_ACCOUNT_SID"),
        (&[twilio, ("TWILIO_ACCOUNT_SID", "AC1")], "TWILIO_AUTH_TOKEN"),
        (&[twilio, ("TWILIO_ACCOUNT_SID", "AC1"), ("TWILIO_AUTH_TOKEN", "hunter2")], "TWILIO_FROM"),
        (&[("SEND_INTERVAL", "often")], "SEND_INTERVAL"),
        (&[("SEND_MAX_AGE", "-1")], "SEND_MAX_AGE"),
        (&[("SEND_CONCURRENCY", "0")], "SEND_CONCURRENCY"),
    ] {
        let mut spec = Servers::from_env().service("notification", PROGRAM).await.expect("prepared");
        spec.more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        // Without a backtrace the last lines of the output are the error.
        spec.more.push(("RUST_BACKTRACE".to_owned(), "0".to_owned()));
        let started = spec.start_ready().await.map(|_| ()).expect_err("the start fails").to_string();
        assert!(started.contains(named) && !started.contains("hunter2"), "{more:?}: {started}");
    }
}
