//! Puts the adapters together; the only place that names all of them.

use std::sync::Arc;

use axum::Router;
use include_dir::{Dir, include_dir};
use mart_chassis::auth::Keys;
use mart_chassis::clock::{SystemClock, TimeOrderedIds};
use mart_chassis::http::Api;
use mart_chassis::run::Service;
use mart_chassis::{Config, Database};
use mart_kernel::PageTokenSigner;
use product_core::Catalogue;
use product_core::ports::Products;

use crate::adapters::events::{ProductMessages, ProductEventHandlers};
use crate::adapters::http::Http;
use crate::adapters::postgres::PostgresProducts;
use crate::generated::{events, http};

/// The migrations of this service's own tables.
pub static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// Puts the service together.
pub fn wire(config: &Config) -> anyhow::Result<Service> {
    let database = Database::new(config)?;
    let keys = Arc::new(Keys::load(&config.token_keys, &config.token_issuer, &config.token_audience)?);
    let api = Arc::new(Api::new(keys.clone(), &config.limits));

    let products = PostgresProducts::new(database.clone(), events::record::<ProductMessages>);
    let seal = PageTokenSigner::new(config.page_token_secret());
    let catalogue = Catalogue::new(products, Arc::new(SystemClock), Arc::new(TimeOrderedIds), seal);
    let routes = routes(catalogue, api);

    let handlers = events::handlers(ProductEventHandlers);
    Ok(Service { routes, handlers, database, keys, jobs: Vec::new() })
}

/// The operations over a catalogue, wherever that keeps its products.
pub fn routes<P: Products + 'static>(catalogue: Catalogue<P>, api: Arc<Api>) -> Router {
    http::router(Arc::new(Http::new(catalogue)), api)
}
