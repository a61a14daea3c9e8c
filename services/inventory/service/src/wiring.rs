//! Creates the adapters and connects them to the use cases. No other module names all adapters.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use include_dir::{Dir, include_dir};
use inventory_core::UseCases;
use inventory_core::ports::Store;
use mart_chassis::auth::Keys;
use mart_chassis::clock::{SystemClock, TimeOrderedIds};
use mart_chassis::http::Api;
use mart_chassis::run::{BackgroundJob, Service};
use mart_chassis::{Config, Database};
use mart_kernel::PageTokenSigner;

use crate::adapters::events::{InventoryEventHandlers, InventoryMessages};
use crate::adapters::http::Http;
use crate::adapters::postgres::PostgresStore;
use crate::generated::{events, http};
use crate::settings::Settings;

/// The migrations of this service's own tables.
pub static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// Creates the service with its adapters.
pub fn wire(config: &Config, settings: &Settings) -> anyhow::Result<Service> {
    let database = Database::new(config)?;
    let keys = Arc::new(Keys::load(&config.token_keys, &config.token_issuer, &config.token_audience)?);
    let api = Arc::new(Api::new(keys.clone(), &config.limits));

    let store = PostgresStore::new(database.clone(), events::record::<InventoryMessages>);
    let page_tokens = PageTokenSigner::new(config.page_token_secret());
    let use_cases =
        UseCases::new(store, Arc::new(SystemClock), Arc::new(TimeOrderedIds), page_tokens, settings.reservation_ttl);
    let routes = routes(use_cases.clone(), api);

    let handlers = events::handlers(InventoryEventHandlers::new(use_cases.clone()));
    let jobs = vec![expiry(use_cases, settings.reservation_expiry_interval)];
    Ok(Service { routes, handlers, database, keys, jobs })
}

/// Returns the job that expires reservations that were not committed in time.
pub fn expiry<S: Store + Clone + 'static>(use_cases: UseCases<S>, interval: Duration) -> BackgroundJob {
    BackgroundJob::new("expire-reservations", interval, move || {
        let use_cases = use_cases.clone();
        async move { use_cases.expire_reservations(100).await }
    })
}

/// Returns the routes of the operations, over any store.
pub fn routes<S: Store + 'static>(use_cases: UseCases<S>, api: Arc<Api>) -> Router {
    http::router(Arc::new(Http::new(use_cases)), api)
}
