//! An enabled provider without its settings stops the start, and the sandbox is rejected in production.

use devstack::testing::{App, Servers};

use crate::PROGRAM;

#[tokio::test]
async fn it_starts_and_is_ready() {
    let app = App::start_consumer("payment", PROGRAM, &["mart.order.v1"]).await;
    let response = app.client.get(format!("{}/metrics", app.spec.internal_url())).send().await.expect("a response");
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn an_incomplete_or_unsafe_provider_stops_the_start() {
    let (stripe, payfast) = (("PAYMENT_PROVIDERS", "stripe"), ("PAYMENT_PROVIDERS", "payfast"));
    for (settings, expected) in [
        (&[("SANDBOX_SECRETS", "")][..], "SANDBOX_SECRETS"),
        (&[("SANDBOX_SECRETS", " , ")], "SANDBOX_SECRETS: has no secret in it"),
        (&[("SANDBOX_KEY", "")], "SANDBOX_KEY"),
        (&[("ENVIRONMENT", "production")], "the sandbox takes no money"),
        (&[("ENVIRONMENT", "prod")], "expected development or production"),
        (&[("PAYMENT_PROVIDERS", "sandbox,paypal")], "paypal"),
        (&[stripe], "STRIPE_KEY"),
        (&[stripe, ("STRIPE_KEY", "sk_live_hunter2")], "STRIPE_WEBHOOK_SECRETS"),
        (&[stripe, ("STRIPE_KEY", "sk_live_hunter2"), ("STRIPE_WEBHOOK_SECRETS", "whsec_hunter2")], "SHOP_URL"),
        (
            &[
                stripe,
                ("STRIPE_KEY", "sk_live_hunter2"),
                ("STRIPE_WEBHOOK_SECRETS", " , "),
                ("SHOP_URL", "http://shop.example"),
            ],
            "STRIPE_WEBHOOK_SECRETS: has no secret in it",
        ),
        (&[payfast], "PAYFAST_MERCHANT_ID"),
        (&[payfast, ("PAYFAST_MERCHANT_ID", "102")], "PAYFAST_SECURED_KEYS"),
        (&[payfast, ("PAYFAST_MERCHANT_ID", "102"), ("PAYFAST_SECURED_KEYS", "hunter2")], "PAYFAST_CALLBACK_URL"),
        (&[payfast, ("ENVIRONMENT", "production"), ("PAYFAST_URL", "https://ipguat.apps.net.pk")], "the test address"),
        (&[("PAYMENT_ROUTES", "PKR=paypal")], "PKR=paypal"),
        (&[stripe, ("CHECKOUT_TTL", "1799s")], "CHECKOUT_TTL: Stripe accepts 30m to 1430m"),
        (&[("MAX_ATTEMPTS_PER_ORDER", "0")], "MAX_ATTEMPTS_PER_ORDER: \"0\": expected a number from 1 to 1000"),
        (&[("PAYMENT_PROVIDERS_RETIRING", "stripe")], "has to be one of PAYMENT_PROVIDERS"),
        (
            &[
                stripe,
                ("ENVIRONMENT", "production"),
                ("STRIPE_KEY", "sk_live_hunter2"),
                ("STRIPE_WEBHOOK_SECRETS", "whsec_hunter2"),
                ("SHOP_URL", "http://shop.example"),
            ],
            "expected an https URL",
        ),
        (&[stripe, ("ENVIRONMENT", "production"), ("STRIPE_KEY", "sk_test_hunter2")], "a test key takes no money"),
        (&[("PAYMENT_PROVIDERS", ",")], "PAYMENT_PROVIDERS"),
    ] {
        let mut spec = Servers::from_env().service("payment", PROGRAM).await.expect("prepared");
        spec.more = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        // Without a backtrace the last lines of the output are the error.
        spec.more.push(("RUST_BACKTRACE".to_owned(), "0".to_owned()));
        let error = spec.start_ready().await.map(|_| ()).expect_err("the start fails").to_string();
        assert!(error.contains(expected) && !error.contains("hunter2"), "{settings:?}: {error}");
    }
}
