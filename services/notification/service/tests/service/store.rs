//! The PostgreSQL store passes the conformance suite of the store.

use devstack::testing::Servers;
use mart_chassis::db::EventDatabase;
use mart_chassis::{Config, Database};
use notification_service::adapters::events::NotificationMessages;
use notification_service::adapters::postgres::PostgresStore;
use notification_service::generated::events;
use notification_service::wiring;

async fn store() -> PostgresStore {
    let urls = Servers::from_env().database("notification").await.expect("a database");
    let config = |url: &str| Config::of_database("notification", url).expect("valid");
    mart_chassis::db::migrate(&config(&urls.owner), &wiring::MIGRATIONS).await.expect("migrated");
    // As the app role, so that the suite finds a missing grant.
    let database = Database::new(&config(&urls.app)).expect("pools");
    PostgresStore(EventDatabase::new(database, events::record::<NotificationMessages>))
}

notification_core::conformance!(store());
