//! Puts the adapters together; the only place that names all of them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use axum::Router;
use include_dir::{Dir, include_dir};
use mart_chassis::auth::Keys;
use mart_chassis::clock::{SystemClock, TimeOrderedIds};
use mart_chassis::http::Api;
use mart_chassis::run::{Service, BackgroundJob};
use mart_chassis::{Config, Database};
use mart_kernel::PageTokenSigner;
use payment_core::UseCases;
use payment_core::application::Providers;
use payment_core::domain::{Policy, Provider, Rule};
use payment_core::ports::{PaymentProvider, Store};

use crate::adapters::events::{PaymentMessages, PaymentEventHandlers};
use crate::adapters::http::Http;
use crate::adapters::payfast::{Merchant, PayFast};
use crate::adapters::postgres::PostgresStore;
use crate::adapters::sandbox::Sandbox;
use crate::adapters::stripe::{CHECKOUTS, Stripe};
use crate::generated::{events, http};
use crate::signature::{Signatures, TOLERANCE};
use crate::transport::OverHttp;

/// The migrations of this service's own tables.
pub static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// Puts the service together.
pub fn wire(config: &Config) -> anyhow::Result<Service> {
    let database = Database::new(config)?;
    let keys = Arc::new(Keys::load(&config.token_keys, &config.token_issuer, &config.token_audience)?);
    let api = Arc::new(Api::new(keys.clone(), &config.limits));

    let store = PostgresStore::new(database.clone(), events::record::<PaymentMessages>);
    let (clock, ids, seal) =
        (Arc::new(SystemClock), Arc::new(TimeOrderedIds), PageTokenSigner::new(config.page_token_secret()));
    let policy = policy(config)?;
    let use_cases = UseCases::new(store, providers(config, &policy)?, clock, ids, seal, policy);
    let routes = routes(use_cases.clone(), api);

    let handlers = events::handlers(PaymentEventHandlers::new(use_cases.clone()));
    let interval = |name: &str, default: u64| config.own_seconds(name, Duration::from_secs(default));
    let jobs = jobs(&use_cases, interval("ATTEMPT_POLL_INTERVAL", 5)?, interval("REFUND_INTERVAL", 1)?, interval("CALLBACK_INTERVAL", 1)?);
    Ok(Service { routes, handlers, database, keys, jobs })
}

/// How long things last, and how much is too much.
fn policy(config: &Config) -> anyhow::Result<Policy> {
    let usual = Policy::default();
    Ok(Policy {
        checkout: config.own_duration("CHECKOUT_TTL", usual.checkout)?,
        look: config.own_duration("ATTEMPT_POLL_DELAY", usual.look)?,
        refund_again: config.own_duration("REFUND_RETRY_DELAY", usual.refund_again)?,
        callback_again: config.own_duration("CALLBACK_RETRY_DELAY", usual.callback_again)?,
        attempts: config.own_number("MAX_ATTEMPTS_PER_ORDER", 1..=1_000, usual.attempts.try_into()?)?.try_into()?,
    })
}

/// The providers that `PAYMENT_PROVIDERS` names. One that is on without its secrets stops the start, and so does the sandbox in
/// production.
fn providers(config: &Config, policy: &Policy) -> anyhow::Result<Providers> {
    let named = config.own_or("PAYMENT_PROVIDERS", Provider::Sandbox.name());
    let production = config.production()?;
    let mut providers: Vec<Arc<dyn PaymentProvider>> = Vec::new();
    for name in named.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        match Provider::named(name).with_context(|| format!("PAYMENT_PROVIDERS={named:?}: there is no {name:?}"))? {
            Provider::Sandbox => {
                ensure!(
                    !production,
                    "PAYMENT_PROVIDERS: the sandbox takes no money and is refused where ENVIRONMENT is production"
                );
                providers.push(Arc::new(sandbox(config)?));
            }
            Provider::Stripe => {
                ensure!(
                    CHECKOUTS.contains(&policy.checkout),
                    "CHECKOUT_TTL: Stripe takes checkouts of {} to {} seconds",
                    CHECKOUTS.start().whole_seconds(),
                    CHECKOUTS.end().whole_seconds()
                );
                providers.push(Arc::new(stripe(config, production)?));
            }
            Provider::PayFast => providers.push(Arc::new(payfast(config, production)?)),
        }
    }
    ensure!(!providers.is_empty(), "PAYMENT_PROVIDERS is empty: name at least one");
    let mut ending = Vec::new();
    let named = config.own_or("PAYMENT_PROVIDERS_RETIRING", "");
    for name in named.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let known = Provider::named(name).filter(|ends| providers.iter().any(|on| on.provider() == *ends));
        ending.push(known.with_context(|| {
            format!("PAYMENT_PROVIDERS_RETIRING={named:?}: {name:?} is not among PAYMENT_PROVIDERS, and has to be")
        })?);
    }
    Ok(Providers::new(providers).ending(ending).routed(rules(config)?))
}

/// What an operator wants otherwise than the mart chooses by itself.
fn rules(config: &Config) -> anyhow::Result<Vec<Rule>> {
    let named = config.own_or("PAYMENT_ROUTES", "");
    let rules = named.split(',').map(str::trim).filter(|rule| !rule.is_empty());
    let read = |rule: &str| {
        Rule::read(rule).with_context(|| {
            format!(
                "PAYMENT_ROUTES={named:?}: {rule:?} is none, expected such as PKR/PK=payfast, EUR=stripe or */DE=stripe"
            )
        })
    };
    rules.map(read).collect()
}

fn sandbox(config: &Config) -> anyhow::Result<Sandbox<OverHttp>> {
    let url = config.own_text("SANDBOX_URL", "the address of the sandbox, such as http://127.0.0.1:7412")?;
    let key = config.own_text("SANDBOX_KEY", "the key that lets us into the sandbox")?;
    let signatures =
        signatures(config, "SANDBOX_SECRETS", "what the sandbox signs with; the new and the old one, with a comma")?;
    Sandbox::new(OverHttp::new(&url, patience(config)?)?, &key, signatures)
}

fn stripe(config: &Config, production: bool) -> anyhow::Result<Stripe<OverHttp>> {
    let key = config.own_text("STRIPE_KEY", "the secret key of the account at Stripe, sk_… or rk_…")?;
    let key = key.trim();
    ensure!(
        !production || ["sk_live_", "rk_live_"].iter().any(|live| key.starts_with(live)),
        "STRIPE_KEY: a key for tests takes no money and is refused where ENVIRONMENT is production: one begins with sk_live_ or rk_live_"
    );
    let signatures = signatures(
        config,
        "STRIPE_WEBHOOK_SECRETS",
        "what Stripe signs with, whsec_…; the new and the old one, with a comma",
    )?;
    let shop = config.own_text("SHOP_URL", "where customers come back to, such as https://shop.example")?;
    let url = config.own_or("STRIPE_URL", "https://api.stripe.com");
    encrypted(production, &[("STRIPE_URL", &url), ("SHOP_URL", &shop)])?;
    Stripe::new(OverHttp::new(&url, patience(config)?)?, key, signatures, &shop)
}

fn payfast(config: &Config, production: bool) -> anyhow::Result<PayFast<OverHttp>> {
    let url = config.own_or("PAYFAST_URL", "https://ipg1.apps.net.pk");
    ensure!(
        !(production && url.to_lowercase().contains("uat")),
        "PAYFAST_URL: PayFast's address for tests takes no money and is refused where ENVIRONMENT is production"
    );
    let merchant = Merchant {
        id: config.own_text("PAYFAST_MERCHANT_ID", "the merchant's number at PayFast")?,
        keys: secrets(
            config,
            "PAYFAST_SECURED_KEYS",
            "the merchant's secured key; the new and the old one, with a comma",
        )?,
        callback: config.own_text(
            "PAYFAST_CALLBACK_URL",
            "our webhook as PayFast reaches it, such as https://api.shop.example/v1/payment-webhooks/payfast",
        )?,
        shop: config.own_text("SHOP_URL", "where customers come back to, such as https://shop.example")?,
        name: config.own_or("SHOP_NAME", "mart"),
        url,
    };
    let urls =
        [("PAYFAST_URL", &merchant.url), ("PAYFAST_CALLBACK_URL", &merchant.callback), ("SHOP_URL", &merchant.shop)];
    encrypted(production, &urls)?;
    // It was seen to take most of a minute.
    let patience = config.own_seconds("PAYFAST_TIMEOUT", Duration::from_mins(1))?;
    PayFast::new(OverHttp::new(&merchant.url, patience)?, merchant)
}

/// In production money and keys travel by https only.
fn encrypted(production: bool, urls: &[(&str, &String)]) -> anyhow::Result<()> {
    for (name, url) in urls {
        ensure!(
            !production || url.to_lowercase().starts_with("https://"),
            "{name}={url:?}: expected https:// where ENVIRONMENT is production"
        );
    }
    Ok(())
}

/// How long a provider may take to answer.
fn patience(config: &Config) -> anyhow::Result<Duration> {
    Ok(config.own_seconds("PROVIDER_TIMEOUT", Duration::from_secs(8))?)
}

/// How a provider signs.
fn signatures(config: &Config, name: &str, what: &str) -> anyhow::Result<Signatures> {
    let tolerance = config.own_duration("WEBHOOK_TOLERANCE", TOLERANCE)?;
    Signatures::new(secrets(config, name, what)?, tolerance)
}

/// What a provider signs with: while it is rotated, the new secret and the old one.
fn secrets(config: &Config, name: &str, what: &str) -> anyhow::Result<Vec<String>> {
    let secrets = config.own_text(name, what)?;
    let secrets = secrets.split(',').map(str::trim).filter(|secret| !secret.is_empty());
    let secrets: Vec<String> = secrets.map(str::to_owned).collect();
    ensure!(!secrets.is_empty(), "{name} has no secret in it: expected {what}");
    Ok(secrets)
}

/// What time makes due: attempts to ask about, refunds to ask for, callbacks to hear again.
pub fn jobs<S: Store + Clone + 'static>(
    use_cases: &UseCases<S>,
    attempts: Duration,
    refunds: Duration,
    callbacks: Duration,
) -> Vec<BackgroundJob> {
    let (looking, refunding, hearing) = (use_cases.clone(), use_cases.clone(), use_cases.clone());
    vec![
        BackgroundJob::new("attempts", attempts, move || {
            let use_cases = looking.clone();
            async move { use_cases.look_at_attempts(100).await }
        }),
        BackgroundJob::new("refunds", refunds, move || {
            let use_cases = refunding.clone();
            async move { use_cases.make_refunds(100).await }
        }),
        BackgroundJob::new("callbacks", callbacks, move || {
            let use_cases = hearing.clone();
            async move { use_cases.hear_again(100).await }
        }),
    ]
}

/// The operations over use cases, wherever those keep things.
pub fn routes<S: Store + Clone + 'static>(use_cases: UseCases<S>, api: Arc<Api>) -> Router {
    http::router(Arc::new(Http::new(use_cases)), api)
}
