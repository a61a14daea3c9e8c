//! Puts the adapters together; the only place that names all of them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use axum::Router;
use include_dir::{Dir, include_dir};
use mart_chassis::auth::Keys;
use mart_chassis::clock::{SystemClock, TimeOrderedIds};
use mart_chassis::http::Api;
use mart_chassis::run::{Service, BackgroundJob};
use mart_chassis::{Config, Database};
use mart_kernel::{Clock, PageTokenSigner};
use user_core::UseCases;
use user_core::domain::{Brakes, Policy};
use user_core::ports::{Hasher, Signer, Store};

use crate::adapters::events::{UserMessages, UserEventHandlers};
use crate::adapters::http::Http;
use crate::adapters::passwords::Argon2id;
use crate::adapters::postgres::PostgresStore;
use crate::adapters::tokens::{self, EdDsa, RandomSecrets};
use crate::generated::{events, http};

/// The migrations of this service's own tables.
pub static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// No access token is good for longer: who is disabled keeps his until then, and so does a key that is rotated.
const LONGEST_TOKEN: time::Duration = time::Duration::minutes(15);
const SHORTEST_TOKEN: time::Duration = time::Duration::minutes(1);
/// For longer than this a refresh token never comes again.
const LONGEST_GRACE: time::Duration = time::Duration::minutes(1);
/// The topic that links travel on.
const LINKS: &str = "mart.user_link.v1";

/// The use cases over the real store and hasher.
pub fn use_cases(config: &Config) -> anyhow::Result<(Database, UseCases<PostgresStore, Argon2id>)> {
    let database = Database::new(config)?;
    let store = PostgresStore::new(database.clone(), events::record::<UserMessages>);
    let (clock, ids, seal) =
        (Arc::new(SystemClock), Arc::new(TimeOrderedIds), PageTokenSigner::new(config.page_token_secret()));
    let at_a_time = config.own_number("PASSWORD_HASH_CONCURRENCY", 1..=64, 4)?;
    let hasher = Argon2id::new(at_a_time.try_into()?, config.own_seconds("PASSWORD_HASH_TIMEOUT", Duration::from_secs(5))?)?;
    let use_cases = UseCases::new(store, hasher, Arc::new(RandomSecrets), clock, ids, seal, policy(config)?);
    Ok((database, use_cases))
}

/// How long things last, and how much is too much.
fn policy(config: &Config) -> anyhow::Result<Policy> {
    let usual = Policy::default();
    let number = |name: &str, usual: i32| -> anyhow::Result<i32> {
        Ok(config.own_number(name, 1..=10_000, usual.try_into()?)?.try_into()?)
    };
    let policy = Policy {
        session: config.own_duration("SESSION_TTL", usual.session)?,
        grace: config.own_duration("REFRESH_GRACE_PERIOD", usual.grace)?,
        verify_link: config.own_duration("VERIFICATION_LINK_TTL", usual.verify_link)?,
        reset_link: config.own_duration("RESET_LINK_TTL", usual.reset_link)?,
        brakes: Brakes {
            free: number("LOGIN_THROTTLE_FREE_ATTEMPTS", usual.brakes.free)?,
            free_of_a_network: number("LOGIN_THROTTLE_FREE_ATTEMPTS_PER_NETWORK", usual.brakes.free_of_a_network)?,
            longest: config.own_duration("LOGIN_THROTTLE_MAX_DELAY", usual.brakes.longest)?,
            forgotten: config.own_duration("LOGIN_THROTTLE_RESET_AFTER", usual.brakes.forgotten)?,
        },
    };
    let links = events::TOPICS.iter().find(|topic| topic.name == LINKS).context(LINKS)?;
    let kept = time::Duration::minutes(links.retention_minutes.into());
    ensure!(
        policy.verify_link.max(policy.reset_link) <= kept,
        "VERIFICATION_LINK_TTL, RESET_LINK_TTL: expected at most {} seconds: Kafka keeps a link no longer, and nobody would be told of one that is lost",
        kept.whole_seconds()
    );
    ensure!(
        policy.grace <= LONGEST_GRACE,
        "REFRESH_GRACE_PERIOD: expected at most {} seconds: meanwhile a stolen token goes unnoticed",
        LONGEST_GRACE.whole_seconds()
    );
    ensure!(
        policy.brakes.forgotten >= policy.brakes.longest,
        "LOGIN_THROTTLE_RESET_AFTER: expected at least the {} seconds of LOGIN_THROTTLE_MAX_DELAY: who waits would be forgotten before",
        policy.brakes.longest.whole_seconds()
    );
    Ok(policy)
}

/// How long an access token is good.
fn token_lasts(config: &Config) -> anyhow::Result<time::Duration> {
    let lasts = config.own_duration("ACCESS_TOKEN_TTL", tokens::LASTS)?;
    ensure!(
        (SHORTEST_TOKEN..=LONGEST_TOKEN).contains(&lasts),
        "ACCESS_TOKEN_TTL: expected {} to {} seconds: who is disabled keeps his token until it runs out",
        SHORTEST_TOKEN.whole_seconds(),
        LONGEST_TOKEN.whole_seconds()
    );
    Ok(lasts)
}

/// Puts the service together.
pub fn wire(config: &Config) -> anyhow::Result<Service> {
    let (database, use_cases) = use_cases(config)?;
    let keys = Arc::new(Keys::load(&config.token_keys, &config.token_issuer, &config.token_audience)?);
    let api = Arc::new(Api::new(keys.clone(), &config.limits));
    let folder = config.own_text("TOKEN_SIGNING_KEYS", "the folder with customer-1.pem and admin-1.pem")?;
    let signer = EdDsa::load(Path::new(&folder), &config.token_issuer, &config.token_audience)?;
    let signer = Arc::new(signer.lasting(token_lasts(config)?));

    let routes = routes(use_cases.clone(), signer, Arc::new(SystemClock), api);

    let jobs = vec![forgetting(use_cases, config.own_seconds("PURGE_INTERVAL", Duration::from_mins(5))?)];
    Ok(Service { routes, handlers: events::handlers(UserEventHandlers), database, keys, sweeps })
}

/// Forgets links, sessions and brakes that are of no use any more.
pub fn forgetting<S, H>(use_cases: UseCases<S, H>, interval: Duration) -> BackgroundJob
where
    S: Store + Clone + 'static,
    H: Hasher + Clone + 'static,
{
    BackgroundJob::new("forgetting", interval, move || {
        let use_cases = use_cases.clone();
        async move { use_cases.forget().await }
    })
}

/// The operations over use cases, wherever those keep things.
pub fn routes<S: Store + 'static, H: Hasher + 'static>(
    use_cases: UseCases<S, H>,
    signer: Arc<dyn Signer>,
    clock: Arc<dyn Clock>,
    api: Arc<Api>,
) -> Router {
    http::router(Arc::new(Http::new(use_cases, signer, clock, api.keys())), api)
}
