//! The conformance of the PostgreSQL store, by the same suite as the in-memory store.

use devstack::testing::Servers;
use mart_chassis::db::EventDatabase;
use mart_chassis::{Config, Database};
use user_service::adapters::events::UserMessages;
use user_service::adapters::postgres::PostgresStore;
use user_service::generated::events;
use user_service::wiring;

async fn store() -> PostgresStore {
    let urls = Servers::from_env().database("user").await.expect("a database");
    let config = |url: &str| Config::of_database("user", url).expect("valid");
    mart_chassis::db::migrate(&config(&urls.owner), &wiring::MIGRATIONS).await.expect("migrated");
    // As the app role, so that a missing grant fails the test.
    let database = Database::new(&config(&urls.app)).expect("pools");
    PostgresStore(EventDatabase::new(database, events::record::<UserMessages>))
}

user_core::conformance!(store());
