//! The settings of this service only; mart_chassis::Config has those of every service.

use std::time::Duration;

use mart_chassis::config::SettingsReader;
use payment_core::domain::{Policy, Provider, Rule};
use secrecy::{ExposeSecret, SecretString};

use crate::adapters::stripe::CHECKOUT_TTL;
use crate::signature::TOLERANCE;

/// The settings of the payment service, from environment variables.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `CHECKOUT_TTL`, `ATTEMPT_POLL_DELAY`, `REFUND_RETRY_DELAY`, `CALLBACK_RETRY_DELAY`, `MAX_ATTEMPTS_PER_ORDER`.
    pub policy: Policy,
    /// `ATTEMPT_POLL_INTERVAL`: the time between two searches for attempts to poll.
    pub attempt_poll_interval: Duration,
    /// `REFUND_INTERVAL`: the time between two searches for refunds to send.
    pub refund_interval: Duration,
    /// `CALLBACK_INTERVAL`: the time between two searches for callbacks to process.
    pub callback_interval: Duration,
    /// `PAYMENT_PROVIDERS`: the enabled providers.
    pub providers: Vec<ProviderSettings>,
    /// `PAYMENT_PROVIDERS_RETIRING`: the enabled providers that open no new checkouts.
    pub retiring: Vec<Provider>,
    /// `PAYMENT_ROUTES`: the rules that choose a provider before the default does.
    pub rules: Vec<Rule>,
}

/// The settings of one provider.
#[derive(Debug, Clone)]
pub enum ProviderSettings {
    /// The sandbox, which takes no money. It is rejected in production.
    Sandbox {
        /// `SANDBOX_URL`: its address.
        url: String,
        /// `SANDBOX_KEY`: the key of its API.
        key: SecretString,
        /// `SANDBOX_SECRETS`, `WEBHOOK_TOLERANCE`: the signatures of its webhooks.
        webhooks: WebhookSettings,
        /// `PROVIDER_TIMEOUT`: the time limit for a request.
        timeout: Duration,
    },
    /// Stripe.
    Stripe {
        /// `STRIPE_URL`: the API's address.
        url: String,
        /// `STRIPE_KEY`: the account's secret key.
        key: SecretString,
        /// `STRIPE_WEBHOOK_SECRETS`, `WEBHOOK_TOLERANCE`: the signatures of its webhooks.
        webhooks: WebhookSettings,
        /// `SHOP_URL`: the address of the shop's pages, to which customers return.
        shop_url: String,
        /// `PROVIDER_TIMEOUT`: the time limit for a request.
        timeout: Duration,
    },
    /// PayFast.
    PayFast {
        /// `PAYFAST_URL`: the API's address.
        url: String,
        /// `PAYFAST_MERCHANT_ID`: the merchant's number.
        merchant_id: String,
        /// `PAYFAST_SECURED_KEYS`: the merchant's secured key; during a rotation the new and the old one.
        keys: Vec<SecretString>,
        /// `PAYFAST_CALLBACK_URL`: our webhook's public address.
        callback_url: String,
        /// `SHOP_URL`: the address of the shop's pages, to which customers return.
        shop_url: String,
        /// `SHOP_NAME`: the shop's name.
        shop_name: String,
        /// `PAYFAST_TIMEOUT`: the time limit for a request. PayFast has taken most of a minute to respond.
        timeout: Duration,
    },
}

/// The signatures of a provider's webhooks.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// The secrets; during a rotation the new and the old one.
    pub secrets: Vec<SecretString>,
    /// The longest age of a signature.
    pub tolerance: time::Duration,
}

impl Settings {
    /// Reads the settings. Invalid ones are reported to the reader.
    pub fn read(env: &mut SettingsReader) -> Self {
        let default = Policy::default();
        let policy = Policy {
            checkout_ttl: env.setting_duration("CHECKOUT_TTL", default.checkout_ttl),
            poll_delay: env.setting_duration("ATTEMPT_POLL_DELAY", default.poll_delay),
            refund_retry_delay: env.setting_duration("REFUND_RETRY_DELAY", default.refund_retry_delay),
            callback_retry_delay: env.setting_duration("CALLBACK_RETRY_DELAY", default.callback_retry_delay),
            max_attempts: env.setting_number("MAX_ATTEMPTS_PER_ORDER", 1..=1_000, default.max_attempts),
        };
        let names = env.setting_or("PAYMENT_PROVIDERS", Provider::Sandbox.name());
        let enabled = providers(env, "PAYMENT_PROVIDERS", &names);
        if enabled.is_empty() {
            env.fault("PAYMENT_PROVIDERS", format!("{names:?}: name at least one of sandbox, stripe and payfast"));
        }
        let retiring = env.setting_or("PAYMENT_PROVIDERS_RETIRING", "");
        let retiring = providers(env, "PAYMENT_PROVIDERS_RETIRING", &retiring);
        for provider in retiring.iter().filter(|provider| !enabled.contains(provider)) {
            let fault = format!("{:?} has to be one of PAYMENT_PROVIDERS too", provider.name());
            env.fault("PAYMENT_PROVIDERS_RETIRING", fault);
        }
        Self {
            policy,
            attempt_poll_interval: env.setting_duration("ATTEMPT_POLL_INTERVAL", Duration::from_secs(5)),
            refund_interval: env.setting_duration("REFUND_INTERVAL", Duration::from_secs(1)),
            callback_interval: env.setting_duration("CALLBACK_INTERVAL", Duration::from_secs(1)),
            providers: enabled.iter().map(|provider| provider_settings(env, *provider, &policy)).collect(),
            retiring,
            rules: rules(env),
        }
    }
}

fn providers(env: &mut SettingsReader, setting: &str, names: &str) -> Vec<Provider> {
    let mut found = Vec::new();
    for text in names.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        match Provider::from_name(text) {
            Some(provider) if found.contains(&provider) => env.fault(setting, format!("{text} is listed twice")),
            Some(provider) => found.push(provider),
            None => env.fault(setting, format!("{text:?} is unknown: expected sandbox, stripe or payfast")),
        }
    }
    found
}

fn rules(env: &mut SettingsReader) -> Vec<Rule> {
    let text = env.setting_or("PAYMENT_ROUTES", "");
    let mut rules = Vec::new();
    for rule in text.split(',').map(str::trim).filter(|rule| !rule.is_empty()) {
        match Rule::parse(rule) {
            Some(rule) => rules.push(rule),
            None => env.fault(
                "PAYMENT_ROUTES",
                format!("{rule:?}: expected rules such as PKR/PK=payfast, EUR=stripe or */DE=stripe"),
            ),
        }
    }
    rules
}

fn provider_settings(env: &mut SettingsReader, provider: Provider, policy: &Policy) -> ProviderSettings {
    let production = env.is_production();
    let timeout = env.setting_duration("PROVIDER_TIMEOUT", Duration::from_secs(8));
    match provider {
        Provider::Sandbox => {
            if production {
                env.fault("PAYMENT_PROVIDERS", "the sandbox takes no money and is rejected in production");
            }
            ProviderSettings::Sandbox {
                url: env.setting_url("SANDBOX_URL", "the sandbox, such as http://127.0.0.1:7412", None),
                key: env.setting_secret("SANDBOX_KEY", "the key of the sandbox's API"),
                webhooks: webhooks(env, "SANDBOX_SECRETS", "the secret of the sandbox's webhooks; several with commas"),
                timeout,
            }
        }
        Provider::Stripe => {
            if !CHECKOUT_TTL.contains(&policy.checkout_ttl) {
                let minutes = (CHECKOUT_TTL.start().whole_minutes(), CHECKOUT_TTL.end().whole_minutes());
                env.fault("CHECKOUT_TTL", format!("Stripe accepts {}m to {}m", minutes.0, minutes.1));
            }
            let key = env.setting_secret("STRIPE_KEY", "the account's secret key, sk_… or rk_…");
            let live = ["sk_live_", "rk_live_"].iter().any(|live| key.expose_secret().starts_with(live));
            if production && !live && !key.expose_secret().is_empty() {
                let fault =
                    "(not shown): a test key takes no money and is rejected in production: use sk_live_… or rk_live_…";
                env.fault("STRIPE_KEY", fault);
            }
            ProviderSettings::Stripe {
                url: env.setting_url("STRIPE_URL", "Stripe's API", Some("https://api.stripe.com")),
                key,
                webhooks: webhooks(env, "STRIPE_WEBHOOK_SECRETS", "the webhook's secret, whsec_…; several with commas"),
                shop_url: shop_url(env),
                timeout,
            }
        }
        Provider::PayFast => {
            let url = env.setting_url("PAYFAST_URL", "PayFast's API", Some("https://ipg1.apps.net.pk"));
            if production && url.to_lowercase().contains("uat") {
                env.fault(
                    "PAYFAST_URL",
                    format!("{url:?}: the test address takes no money and is rejected in production"),
                );
            }
            ProviderSettings::PayFast {
                url,
                merchant_id: env.setting_text("PAYFAST_MERCHANT_ID", "the merchant's number at PayFast"),
                keys: env.setting_secrets("PAYFAST_SECURED_KEYS", "the merchant's secured key; several with commas"),
                callback_url: env.setting_url(
                    "PAYFAST_CALLBACK_URL",
                    "our public webhook, such as https://api.shop.example/v1/payment-webhooks/payfast",
                    None,
                ),
                shop_url: shop_url(env),
                shop_name: env.setting_or("SHOP_NAME", "mart"),
                timeout: env.setting_duration("PAYFAST_TIMEOUT", Duration::from_mins(1)),
            }
        }
    }
}

fn shop_url(env: &mut SettingsReader) -> String {
    env.setting_url("SHOP_URL", "the address of the shop, such as https://shop.example", None)
}

fn webhooks(env: &mut SettingsReader, name: &str, expected: &str) -> WebhookSettings {
    let secrets = env.setting_secrets(name, expected);
    WebhookSettings { secrets, tolerance: env.setting_duration("WEBHOOK_TOLERANCE", TOLERANCE) }
}
