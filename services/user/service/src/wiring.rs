//! Puts the adapters together; the only place that names all of them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use mart_chassis::auth::Keys;
use mart_chassis::clock::{SystemClock, TimeOrderedIds};
use mart_chassis::http::Edge;
use mart_chassis::run::{Service, Sweep};
use mart_chassis::{Config, Database};
use mart_kernel::{Clock, PageSeal};
use sqlx::migrate::Migrator;
use user_core::UseCases;
use user_core::ports::{Hasher, Signer, Store};

use crate::adapters::events::{UserMessages, UserReactions};
use crate::adapters::http::Http;
use crate::adapters::passwords::Argon2id;
use crate::adapters::postgres::PostgresStore;
use crate::adapters::tokens::{EdDsa, RandomSecrets};
use crate::generated::{events, http};

/// The migrations of this service's own tables.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How many passwords are hashed at a time: each holds 19 MiB.
const HASHES: usize = 4;

/// The use cases over the real store and hasher.
pub fn use_cases(config: &Config) -> anyhow::Result<(Database, UseCases<PostgresStore, Argon2id>)> {
    let database = Database::new(config)?;
    let store = PostgresStore::new(database.clone(), events::record::<UserMessages>);
    let (clock, ids, seal) =
        (Arc::new(SystemClock), Arc::new(TimeOrderedIds), PageSeal::new(config.page_token_secret()));
    let use_cases = UseCases::new(store, Argon2id::new(HASHES)?, Arc::new(RandomSecrets), clock, ids, seal);
    Ok((database, use_cases))
}

/// Puts the service together.
pub fn wire(config: &Config) -> anyhow::Result<Service> {
    let (database, use_cases) = use_cases(config)?;
    let keys = Arc::new(Keys::load(&config.token_keys, &config.token_issuer, &config.token_audience)?);
    let edge = Arc::new(Edge::new(keys.clone(), &config.limits));
    let folder = config.own_text("TOKEN_SIGNING_KEYS", "the folder with customer-1.pem and admin-1.pem")?;
    let signer = Arc::new(EdDsa::load(Path::new(&folder), &config.token_issuer, &config.token_audience)?);

    let routes = routes(use_cases.clone(), signer, Arc::new(SystemClock), edge);

    let sweeps = vec![forgetting(use_cases, config.own_seconds("FORGET_SWEEP", Duration::from_mins(5))?)];
    Ok(Service { routes, reactions: events::reactions(UserReactions), database, keys, sweeps })
}

/// Forgets links, sessions and brakes that are of no use any more.
pub fn forgetting<S, H>(use_cases: UseCases<S, H>, every: Duration) -> Sweep
where
    S: Store + Clone + 'static,
    H: Hasher + Clone + 'static,
{
    Sweep::new("forgetting", every, move || {
        let use_cases = use_cases.clone();
        async move { use_cases.forget().await }
    })
}

/// The operations over use cases, wherever those keep things.
pub fn routes<S: Store + 'static, H: Hasher + 'static>(
    use_cases: UseCases<S, H>,
    signer: Arc<dyn Signer>,
    clock: Arc<dyn Clock>,
    edge: Arc<Edge>,
) -> Router {
    http::router(Arc::new(Http::new(use_cases, signer, clock, edge.keys())), edge)
}
