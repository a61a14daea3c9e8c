//! Creates the adapters and connects them to the use cases. No other module names all adapters.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use include_dir::{Dir, include_dir};
use mart_chassis::Config;
use mart_chassis::db::EventDatabase;
use mart_chassis::http::Api;
use mart_chassis::run::{BackgroundJob, Service};
use mart_chassis::wiring::CommonAdapters;
use payment_core::UseCases;
use payment_core::application::Providers;
use payment_core::ports::{PaymentProvider, Store};
use secrecy::ExposeSecret;

use crate::adapters::events::{PaymentEventHandlers, PaymentMessages};
use crate::adapters::http::Http;
use crate::adapters::payfast::{Merchant, PayFast};
use crate::adapters::postgres::PostgresStore;
use crate::adapters::sandbox::Sandbox;
use crate::adapters::stripe::Stripe;
use crate::generated::{events, http};
use crate::settings::{ProviderSettings, Settings, WebhookSettings};
use crate::signature::WebhookVerifier;
use crate::transport::HttpTransport;

/// The migrations of this service's own tables.
pub static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// Creates the service with its adapters.
pub fn wire(config: &Config, settings: &Settings) -> anyhow::Result<Service> {
    let CommonAdapters { database, clock, ids, page_tokens } = CommonAdapters::new(config)?;
    let api = Api::load(config)?;

    let store = PostgresStore(EventDatabase::new(database.clone(), events::record::<PaymentMessages>));
    let providers = Providers::new(settings.providers.iter().map(provider).collect::<anyhow::Result<_>>()?);
    let providers = providers.retiring(settings.retiring.clone()).with_rules(settings.rules.clone());
    let use_cases = UseCases::new(store, providers, clock, ids, page_tokens, settings.policy);

    let handlers = events::handlers(PaymentEventHandlers::new(use_cases.clone()));
    let (attempts, refunds) = (settings.attempt_poll_interval, settings.refund_interval);
    let jobs = jobs(&use_cases, attempts, refunds, settings.callback_interval);
    Ok(Service { routes: routes(use_cases, api.clone()), handlers, database, keys: api.keys(), jobs })
}

/// Creates the adapter of a provider.
fn provider(settings: &ProviderSettings) -> anyhow::Result<Arc<dyn PaymentProvider>> {
    Ok(match settings {
        ProviderSettings::Sandbox { url, key, webhooks, timeout } => {
            Arc::new(Sandbox::new(HttpTransport::new(url, *timeout)?, key.expose_secret(), verifier(webhooks)))
        }
        ProviderSettings::Stripe { url, key, webhooks, shop_url, timeout } => {
            let transport = HttpTransport::new(url, *timeout)?;
            Arc::new(Stripe::new(transport, key.expose_secret(), verifier(webhooks), shop_url))
        }
        ProviderSettings::PayFast { url, merchant_id, keys, callback_url, shop_url, shop_name, timeout } => {
            let merchant = Merchant {
                url: url.clone(),
                id: merchant_id.clone(),
                name: shop_name.clone(),
                keys: keys.iter().map(|key| key.expose_secret().to_owned()).collect(),
                callback: callback_url.clone(),
                shop: shop_url.clone(),
            };
            Arc::new(PayFast::new(HttpTransport::new(url, *timeout)?, merchant))
        }
    })
}

fn verifier(webhooks: &WebhookSettings) -> WebhookVerifier {
    let secrets = webhooks.secrets.iter().map(|secret| secret.expose_secret().to_owned()).collect();
    WebhookVerifier::new(secrets, webhooks.tolerance)
}

/// Returns the jobs that poll attempts, send refunds and process callbacks.
pub fn jobs<S: Store + Clone + 'static>(
    use_cases: &UseCases<S>,
    attempts: Duration,
    refunds: Duration,
    callbacks: Duration,
) -> Vec<BackgroundJob> {
    let use_cases = || use_cases.clone();
    vec![
        BackgroundJob::new("poll-attempts", attempts, use_cases(), |use_cases| async move {
            use_cases.poll_attempts(100).await
        }),
        BackgroundJob::new("send-refunds", refunds, use_cases(), |use_cases| async move {
            use_cases.send_refunds(100).await
        }),
        BackgroundJob::new("process-callbacks", callbacks, use_cases(), |use_cases| async move {
            use_cases.process_callbacks(100).await
        }),
    ]
}

/// Returns the routes of the operations, over any store.
pub fn routes<S: Store + Clone + 'static>(use_cases: UseCases<S>, api: Arc<Api>) -> Router {
    http::router(Arc::new(Http::new(use_cases)), api)
}
