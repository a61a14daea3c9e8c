//! The store on PostgreSQL passes the suite that the one in memory passes.

use devstack::testing::Servers;
use mart_chassis::{Config, Database};
use payment_service::adapters::events::PaymentMessages;
use payment_service::adapters::postgres::PostgresStore;
use payment_service::generated::events;
use payment_service::wiring;

async fn store() -> PostgresStore {
    let urls = Servers::of_this_run().database("payment").await.expect("a database");
    let config = |url: &str| Config::of_database("payment", url).expect("good");
    mart_chassis::db::migrate(&config(&urls.owner), &wiring::MIGRATIONS).await.expect("migrated");
    // As the app role, so that a right that is missing is found.
    let database = Database::new(&config(&urls.app)).expect("pools");
    PostgresStore::new(database, events::record::<PaymentMessages>)
}

payment_core::conformance!(store());

#[tokio::test]
async fn what_was_booked_can_not_be_changed_or_deleted() {
    let urls = Servers::of_this_run().database("payment").await.expect("a database");
    let config = Config::of_database("payment", &urls.owner).expect("good");
    mart_chassis::db::migrate(&config, &wiring::MIGRATIONS).await.expect("migrated");
    let mut app = <sqlx::PgConnection as sqlx::Connection>::connect(&urls.app).await.expect("connected");
    for sql in ["update transaction set amount = 1", "delete from transaction"] {
        let refused = sqlx::query(sql).execute(&mut app).await.expect_err("the app role may not");
        assert!(refused.to_string().contains("permission denied"), "{refused}");
    }
}
