//! The store on PostgreSQL passes the suite that the one in memory passes.

use std::collections::BTreeMap;

use devstack::testing::Servers;
use mart_chassis::{Config, Database};
use product_service::adapters::events::ProductMessages;
use product_service::adapters::postgres::PostgresProducts;
use product_service::generated::events;
use product_service::wiring;

async fn store() -> PostgresProducts {
    let urls = Servers::of_this_run().database("product").await.expect("a database");
    let config = |url: &str| {
        let vars = [
            ("HTTP_ADDR", "127.0.0.1:0"),
            ("INTERNAL_ADDR", "127.0.0.1:0"),
            ("DATABASE_URL", url),
            ("KAFKA_BROKERS", "none"),
            ("TOKEN_KEYS", "none"),
            ("TOKEN_ISSUER", "none"),
            ("TOKEN_AUDIENCE", "none"),
            ("PAGE_TOKEN_SECRET", "0123456789abcdef0123456789abcdef"),
        ];
        let vars: BTreeMap<String, String> =
            vars.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Config::from_vars("product", vars).expect("good")
    };
    mart_chassis::db::migrate(&config(&urls.owner), &wiring::MIGRATIONS).await.expect("migrated");
    // As the app role, so that a right that is missing is found.
    let database = Database::new(&config(&urls.app)).expect("pools");
    PostgresProducts::new(database, events::record::<ProductMessages>)
}

product_core::conformance!(store());
