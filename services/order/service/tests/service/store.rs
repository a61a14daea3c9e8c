//! The PostgreSQL store passes the conformance suite.

use devstack::testing::Servers;
use mart_chassis::db::EventDatabase;
use mart_chassis::{Config, Database};
use order_service::adapters::events::OrderMessages;
use order_service::adapters::postgres::PostgresStore;
use order_service::generated::events;
use order_service::wiring;

async fn store() -> PostgresStore {
    let urls = Servers::from_env().database("order").await.expect("a database");
    let config = |url: &str| Config::of_database("order", url).expect("valid");
    mart_chassis::db::migrate(&config(&urls.owner), &wiring::MIGRATIONS).await.expect("migrated");
    // As the app role, so that a missing privilege fails the test.
    let database = Database::new(&config(&urls.app)).expect("pools");
    PostgresStore(EventDatabase::new(database, events::record::<OrderMessages>))
}

order_core::conformance!(store());
