//! Puts the adapters together; the only place that names all of them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use include_dir::{Dir, include_dir};
use mart_chassis::auth::Keys;
use mart_chassis::clock::{SystemClock, TimeOrderedIds};
use mart_chassis::http::Api;
use mart_chassis::run::{Service, BackgroundJob};
use mart_chassis::{Config, Database};
use mart_kernel::PageTokenSigner;
use order_core::UseCases;
use order_core::application::PAYMENT_WINDOW;
use order_core::ports::Store;

use crate::adapters::events::{OrderMessages, OrderEventHandlers};
use crate::adapters::http::Http;
use crate::adapters::postgres::PostgresStore;
use crate::generated::{events, http};

/// The migrations of this service's own tables.
pub static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// Puts the service together.
pub fn wire(config: &Config) -> anyhow::Result<Service> {
    let database = Database::new(config)?;
    let keys = Arc::new(Keys::load(&config.token_keys, &config.token_issuer, &config.token_audience)?);
    let api = Arc::new(Api::new(keys.clone(), &config.limits));

    let store = PostgresStore::new(database.clone(), events::record::<OrderMessages>);
    let seal = PageTokenSigner::new(config.page_token_secret());
    let window = config.own_duration("PAYMENT_WINDOW", PAYMENT_WINDOW)?;
    let interval = config.own_seconds("ORDER_EXPIRY_INTERVAL", Duration::from_secs(5))?;
    let use_cases = UseCases::new(store, Arc::new(SystemClock), Arc::new(TimeOrderedIds), seal, window);
    let routes = routes(use_cases.clone(), api);

    let handlers = events::handlers(OrderEventHandlers::new(use_cases.clone()));
    let jobs = vec![expiry(use_cases, interval)];
    Ok(Service { routes, handlers, database, keys, jobs })
}

/// Cancels orders that nobody paid in time.
pub fn expiry<S: Store + Clone + 'static>(use_cases: UseCases<S>, interval: Duration) -> BackgroundJob {
    BackgroundJob::new("payment deadlines", interval, move || {
        let use_cases = use_cases.clone();
        async move { use_cases.expire_orders(100).await }
    })
}

/// The operations over use cases, wherever those keep things.
pub fn routes<S: Store + 'static>(use_cases: UseCases<S>, api: Arc<Api>) -> Router {
    http::router(Arc::new(Http::new(use_cases)), api)
}
