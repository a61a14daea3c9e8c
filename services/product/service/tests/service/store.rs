//! The conformance of the PostgreSQL store, by the same suite as the in-memory store.

use devstack::testing::Servers;
use mart_chassis::db::EventDatabase;
use mart_chassis::{Config, Database};
use product_service::adapters::events::ProductMessages;
use product_service::adapters::postgres::PostgresStore;
use product_service::generated::events;
use product_service::wiring;

async fn store() -> PostgresStore {
    let urls = Servers::from_env().database("product").await.expect("a database");
    let config = |url: &str| Config::of_database("product", url).expect("valid");
    mart_chassis::db::migrate(&config(&urls.owner), &wiring::MIGRATIONS).await.expect("migrated");
    // As the app role, so that a missing grant fails the test.
    let database = Database::new(&config(&urls.app)).expect("pools");
    PostgresStore(EventDatabase::new(database, events::record::<ProductMessages>))
}

product_core::conformance!(store());
