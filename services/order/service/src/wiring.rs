//! Puts the adapters together; the only place that names all of them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use include_dir::{Dir, include_dir};
use mart_chassis::auth::Keys;
use mart_chassis::clock::{SystemClock, TimeOrderedIds};
use mart_chassis::http::Edge;
use mart_chassis::run::{Service, Sweep};
use mart_chassis::{Config, Database};
use mart_kernel::PageSeal;
use order_core::UseCases;
use order_core::application::PAYMENT_WINDOW;
use order_core::ports::Store;

use crate::adapters::events::{OrderMessages, OrderReactions};
use crate::adapters::http::Http;
use crate::adapters::postgres::PostgresStore;
use crate::generated::{events, http};

/// The migrations of this service's own tables.
pub static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// Puts the service together.
pub fn wire(config: &Config) -> anyhow::Result<Service> {
    let database = Database::new(config)?;
    let keys = Arc::new(Keys::load(&config.token_keys, &config.token_issuer, &config.token_audience)?);
    let edge = Arc::new(Edge::new(keys.clone(), &config.limits));

    let store = PostgresStore::new(database.clone(), events::record::<OrderMessages>);
    let seal = PageSeal::new(config.page_token_secret());
    let window = config.own_duration("PAYMENT_WINDOW", PAYMENT_WINDOW)?;
    let every = config.own_seconds("PAYMENT_SWEEP", Duration::from_secs(5))?;
    let use_cases = UseCases::new(store, Arc::new(SystemClock), Arc::new(TimeOrderedIds), seal, window);
    let routes = routes(use_cases.clone(), edge);

    let reactions = events::reactions(OrderReactions::new(use_cases.clone()));
    let sweeps = vec![expiry(use_cases, every)];
    Ok(Service { routes, reactions, database, keys, sweeps })
}

/// Cancels orders that nobody paid in time.
pub fn expiry<S: Store + Clone + 'static>(use_cases: UseCases<S>, every: Duration) -> Sweep {
    Sweep::new("payment deadlines", every, move || {
        let use_cases = use_cases.clone();
        async move { use_cases.expire_orders(100).await }
    })
}

/// The operations over use cases, wherever those keep things.
pub fn routes<S: Store + 'static>(use_cases: UseCases<S>, edge: Arc<Edge>) -> Router {
    http::router(Arc::new(Http::new(use_cases)), edge)
}
