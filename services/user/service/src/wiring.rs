//! Creates the adapters and connects them to the use cases. No other module names all adapters.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use include_dir::{Dir, include_dir};
use mart_chassis::clock::SystemClock;
use mart_chassis::db::EventDatabase;
use mart_chassis::http::Api;
use mart_chassis::run::{BackgroundJob, Service};
use mart_chassis::wiring::CommonAdapters;
use mart_chassis::{Config, Database};
use mart_kernel::Clock;
use user_core::UseCases;
use user_core::ports::{Hasher, Signer, Store};

use crate::adapters::events::{UserEventHandlers, UserMessages};
use crate::adapters::http::Http;
use crate::adapters::passwords::Argon2id;
use crate::adapters::postgres::PostgresStore;
use crate::adapters::tokens::{EdDsa, RandomSecrets};
use crate::generated::{events, http};
use crate::settings::Settings;

/// The migrations of this service's own tables.
pub static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// Creates the use cases with the real store and hasher.
pub fn use_cases(
    config: &Config,
    settings: &Settings,
) -> anyhow::Result<(Database, UseCases<PostgresStore, Argon2id>)> {
    let CommonAdapters { database, clock, ids, page_tokens } = CommonAdapters::new(config)?;
    let store = PostgresStore(EventDatabase::new(database.clone(), events::record::<UserMessages>));
    let hasher = Argon2id::new(settings.password_hash_concurrency, settings.password_hash_timeout)?;
    let secrets = Arc::new(RandomSecrets);
    let use_cases = UseCases::new(store, hasher, secrets, clock, ids, page_tokens, settings.policy);
    Ok((database, use_cases))
}

/// Creates the service with its adapters.
pub fn wire(config: &Config, settings: &Settings) -> anyhow::Result<Service> {
    let (database, use_cases) = use_cases(config, settings)?;
    let api = Api::load(config)?;
    let signer = EdDsa::load(&settings.token_signing_keys, &config.token_issuer, &config.token_audience)?;
    let signer = Arc::new(signer.with_ttl(settings.access_token_ttl));

    let handlers = events::handlers(UserEventHandlers);
    let jobs = vec![purge_expired(use_cases.clone(), settings.purge_interval)];
    let routes = routes(use_cases, signer, Arc::new(SystemClock), api.clone());
    Ok(Service { routes, handlers, database, keys: api.keys(), jobs })
}

/// Returns the job that deletes expired registrations, links, sessions and throttles.
pub fn purge_expired<S, H>(use_cases: UseCases<S, H>, interval: Duration) -> BackgroundJob
where
    S: Store + Clone + 'static,
    H: Hasher + Clone + 'static,
{
    BackgroundJob::new("purge-expired", interval, use_cases, |use_cases| async move { use_cases.purge_expired().await })
}

/// Returns the routes of the operations, over any store.
pub fn routes<S: Store + 'static, H: Hasher + 'static>(
    use_cases: UseCases<S, H>,
    signer: Arc<dyn Signer>,
    clock: Arc<dyn Clock>,
    api: Arc<Api>,
) -> Router {
    http::router(Arc::new(Http::new(use_cases, signer, clock, api.keys())), api)
}
