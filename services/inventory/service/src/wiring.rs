//! Puts the adapters together; the only place that names all of them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use include_dir::{Dir, include_dir};
use inventory_core::UseCases;
use inventory_core::application::HOLD;
use inventory_core::ports::Store;
use mart_chassis::auth::Keys;
use mart_chassis::clock::{SystemClock, TimeOrderedIds};
use mart_chassis::http::Edge;
use mart_chassis::run::{Service, Sweep};
use mart_chassis::{Config, Database};
use mart_kernel::PageSeal;

use crate::adapters::events::{InventoryMessages, InventoryReactions};
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

    let store = PostgresStore::new(database.clone(), events::record::<InventoryMessages>);
    let seal = PageSeal::new(config.page_token_secret());
    let hold = config.own_duration("RESERVATION_HOLD", HOLD)?;
    let every = config.own_seconds("RESERVATION_SWEEP", Duration::from_secs(5))?;
    let use_cases = UseCases::new(store, Arc::new(SystemClock), Arc::new(TimeOrderedIds), seal, hold);
    let routes = routes(use_cases.clone(), edge);

    let reactions = events::reactions(InventoryReactions::new(use_cases.clone()));
    let sweeps = vec![expiry(use_cases, every)];
    Ok(Service { routes, reactions, database, keys, sweeps })
}

/// Ends promises that nobody used in time.
pub fn expiry<S: Store + Clone + 'static>(use_cases: UseCases<S>, every: Duration) -> Sweep {
    Sweep::new("reservations", every, move || {
        let use_cases = use_cases.clone();
        async move { use_cases.expire_reservations(100).await }
    })
}

/// The operations over use cases, wherever those keep things.
pub fn routes<S: Store + 'static>(use_cases: UseCases<S>, edge: Arc<Edge>) -> Router {
    http::router(Arc::new(Http::new(use_cases)), edge)
}
