//! The store on PostgreSQL passes the suite that the one in memory passes.

use devstack::testing::Servers;
use mart_chassis::{Config, Database};
use product_service::adapters::events::ProductMessages;
use product_service::adapters::postgres::PostgresStore;
use product_service::generated::events;
use product_service::wiring;

async fn store() -> PostgresStore {
    let urls = Servers::of_this_run().database("product").await.expect("a database");
    let config = |url: &str| Config::of_database("product", url).expect("good");
    mart_chassis::db::migrate(&config(&urls.owner), &wiring::MIGRATIONS).await.expect("migrated");
    // As the app role, so that a right that is missing is found.
    let database = Database::new(&config(&urls.app)).expect("pools");
    PostgresStore::new(database, events::record::<ProductMessages>)
}

product_core::conformance!(store());
