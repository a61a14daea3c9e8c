//! The PostgreSQL store passes the conformance suite.

use devstack::testing::Servers;
use inventory_service::adapters::events::InventoryMessages;
use inventory_service::adapters::postgres::PostgresStore;
use inventory_service::generated::events;
use inventory_service::wiring;
use mart_chassis::db::EventDatabase;
use mart_chassis::{Config, Database};

async fn store() -> PostgresStore {
    let urls = Servers::from_env().database("inventory").await.expect("a database");
    let config = |url: &str| Config::of_database("inventory", url).expect("valid");
    mart_chassis::db::migrate(&config(&urls.owner), &wiring::MIGRATIONS).await.expect("migrated");
    // As the app role, so that a missing privilege fails the test.
    let database = Database::new(&config(&urls.app)).expect("pools");
    PostgresStore(EventDatabase::new(database, events::record::<InventoryMessages>))
}

inventory_core::conformance!(store());
