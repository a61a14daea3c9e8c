//! The store on PostgreSQL passes the suite that the one in memory passes.

use devstack::testing::Servers;
use mart_chassis::{Config, Database};
use notification_service::adapters::postgres::PostgresStore;
use notification_service::wiring;

async fn store() -> PostgresStore {
    let urls = Servers::of_this_run().database("notification").await.expect("a database");
    let config = |url: &str| Config::of_database("notification", url).expect("good");
    mart_chassis::db::migrate(&config(&urls.owner), &wiring::MIGRATIONS).await.expect("migrated");
    // As the app role, so that a right that is missing is found.
    PostgresStore::new(Database::new(&config(&urls.app)).expect("pools"))
}

notification_core::conformance!(store());
