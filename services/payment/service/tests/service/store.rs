//! The PostgreSQL store passes the conformance suite.

use devstack::testing::Servers;
use mart_chassis::{Config, Database};
use payment_service::adapters::events::PaymentMessages;
use payment_service::adapters::postgres::PostgresStore;
use payment_service::generated::events;
use payment_service::wiring;

async fn store() -> PostgresStore {
    let urls = Servers::from_env().database("payment").await.expect("a database");
    let config = |url: &str| Config::of_database("payment", url).expect("valid");
    mart_chassis::db::migrate(&config(&urls.owner), &wiring::MIGRATIONS).await.expect("migrated");
    // The app role, so that a missing privilege is found.
    let database = Database::new(&config(&urls.app)).expect("pools");
    PostgresStore::new(database, events::record::<PaymentMessages>)
}

payment_core::conformance!(store());

#[tokio::test]
async fn a_transaction_cannot_be_changed_or_deleted() {
    let urls = Servers::from_env().database("payment").await.expect("a database");
    let config = Config::of_database("payment", &urls.owner).expect("valid");
    mart_chassis::db::migrate(&config, &wiring::MIGRATIONS).await.expect("migrated");
    let mut app = <sqlx::PgConnection as sqlx::Connection>::connect(&urls.app).await.expect("connected");
    for sql in ["update transaction set amount = 1", "delete from transaction"] {
        let error = sqlx::query(sql).execute(&mut app).await.expect_err("the app role may not");
        assert!(error.to_string().contains("permission denied"), "{error}");
    }
}
