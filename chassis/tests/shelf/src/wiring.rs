//! Creates the adapters and connects them. No other module names all adapters.

use std::sync::Arc;

use include_dir::{Dir, include_dir};
use mart_chassis::auth::Keys;
use mart_chassis::run::Service;
use mart_chassis::{Config, Database};

use crate::adapters::events::ShelfEventHandlers;
use crate::adapters::postgres::PostgresItems;
use crate::generated::{events, http};
use crate::settings::Settings;

/// The migrations of this service's own tables.
pub static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// Creates the service with its adapters.
pub fn wire(config: &Config, _settings: &Settings) -> anyhow::Result<Service> {
    let database = Database::new(config)?;
    let keys = Arc::new(Keys::load(&config.token_keys, &config.token_issuer, &config.token_audience)?);

    let handlers = events::handlers(ShelfEventHandlers::new(PostgresItems::new(database.clone())));
    Ok(Service { routes: http::router(), handlers, database, keys, jobs: Vec::new() })
}
