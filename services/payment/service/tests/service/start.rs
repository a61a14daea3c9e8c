//! A provider that is on without what it needs stops the start, and the sandbox does not run in production.

use devstack::testing::{App, Servers};

use crate::PROGRAM;

#[tokio::test]
async fn it_starts_and_is_ready() {
    let app = App::start_consumer("payment", PROGRAM, &["mart.order.v1"]).await;
    let answer = app.client.get(format!("{}/metrics", app.setting.internal_url())).send().await.expect("answered");
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn what_would_take_money_unsafely_does_not_start() {
    let (stripe, payfast) = (("PAYMENT_PROVIDERS", "stripe"), ("PAYMENT_PROVIDERS", "payfast"));
    for (more, named) in [
        (&[("SANDBOX_SECRETS", "")][..], "SANDBOX_SECRETS"),
        (&[("SANDBOX_SECRETS", " , ")], "SANDBOX_SECRETS has no secret in it"),
        (&[("SANDBOX_KEY", "")], "SANDBOX_KEY"),
        (&[("ENVIRONMENT", "production")], "the sandbox takes no money"),
        (&[("ENVIRONMENT", "prod")], "expected development or production"),
        (&[("PAYMENT_PROVIDERS", "sandbox,nobody")], "nobody"),
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
            "STRIPE_WEBHOOK_SECRETS has no secret in it",
        ),
        (&[payfast], "PAYFAST_MERCHANT_ID"),
        (&[payfast, ("PAYFAST_MERCHANT_ID", "102")], "PAYFAST_SECURED_KEYS"),
        (&[payfast, ("PAYFAST_MERCHANT_ID", "102"), ("PAYFAST_SECURED_KEYS", "hunter2")], "PAYFAST_CALLBACK_URL"),
        (&[payfast, ("ENVIRONMENT", "production"), ("PAYFAST_URL", "https://ipguat.apps.net.pk")], "address for tests"),
        (&[("PAYMENT_ROUTES", "PKR=nobody")], "PKR=nobody"),
        (&[stripe, ("CHECKOUT_TTL", "1799")], "Stripe takes checkouts of 1800 to 85800 seconds"),
        (&[("MAX_ATTEMPTS_PER_ORDER", "0")], "MAX_ATTEMPTS_PER_ORDER=\"0\": expected a number from 1 to 1000"),
        (&[("PAYMENT_PROVIDERS_RETIRING", "stripe")], "is not among PAYMENT_PROVIDERS"),
        (
            &[
                stripe,
                ("ENVIRONMENT", "production"),
                ("STRIPE_KEY", "sk_live_hunter2"),
                ("STRIPE_WEBHOOK_SECRETS", "whsec_hunter2"),
                ("SHOP_URL", "http://shop.example"),
            ],
            "expected https://",
        ),
        (&[stripe, ("ENVIRONMENT", "production"), ("STRIPE_KEY", "sk_test_hunter2")], "a key for tests takes no money"),
        (&[("PAYMENT_PROVIDERS", ",")], "PAYMENT_PROVIDERS"),
    ] {
        let mut setting = Servers::of_this_run().service("payment", PROGRAM).await.expect("prepared");
        setting.more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        // Its last lines are what it says to people.
        setting.more.push(("RUST_BACKTRACE".to_owned(), "0".to_owned()));
        let started = setting.start_ready().await.map(|_| ()).expect_err("it must not start").to_string();
        assert!(started.contains(named) && !started.contains("hunter2"), "{more:?}: {started}");
    }
}
