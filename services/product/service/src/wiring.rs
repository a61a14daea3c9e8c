//! Creates the adapters and connects them to the use cases. No other module names all adapters.

use std::sync::Arc;

use axum::Router;
use include_dir::{Dir, include_dir};
use mart_chassis::Config;
use mart_chassis::db::EventDatabase;
use mart_chassis::http::Api;
use mart_chassis::run::Service;
use mart_chassis::wiring::CommonAdapters;
use product_core::UseCases;
use product_core::ports::Store;

use crate::adapters::events::{ProductEventHandlers, ProductMessages};
use crate::adapters::http::Http;
use crate::adapters::postgres::PostgresStore;
use crate::generated::{events, http};
use crate::settings::Settings;

/// The migrations of this service's own tables.
pub static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// Creates the service with its adapters.
pub fn wire(config: &Config, _settings: &Settings) -> anyhow::Result<Service> {
    let CommonAdapters { database, clock, ids, page_tokens } = CommonAdapters::new(config)?;
    let api = Api::load(config)?;

    let store = PostgresStore(EventDatabase::new(database.clone(), events::record::<ProductMessages>));
    let use_cases = UseCases::new(store, clock, ids, page_tokens);

    let handlers = events::handlers(ProductEventHandlers);
    Ok(Service { routes: routes(use_cases, api.clone()), handlers, database, keys: api.keys(), jobs: Vec::new() })
}

/// Returns the routes of the operations, over any store.
pub fn routes<S: Store + 'static>(use_cases: UseCases<S>, api: Arc<Api>) -> Router {
    http::router(Arc::new(Http::new(use_cases)), api)
}
