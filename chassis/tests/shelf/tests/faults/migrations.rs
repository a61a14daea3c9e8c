//! Migrations of a database that another build has migrated.

use devstack::testing::Servers;
use sqlx::{Connection, PgConnection};

#[tokio::test]
async fn data_of_an_older_build_is_reported_with_its_fix() {
    let spec = Servers::from_env().service("shelf", env!("CARGO_BIN_EXE_shelf-service")).await.expect("migrated");
    let mut owner = PgConnection::connect(&spec.database.owner).await.expect("connected");
    sqlx::query("update _sqlx_migrations set checksum = '\\x00'").execute(&mut owner).await.expect("changed");
    let error = format!("{:#}", spec.migrate().await.expect_err("another migration ran"));
    assert!(
        error.contains("the database holds data of another version") && error.contains("./mart down --wipe"),
        "{error}"
    );
    assert!(!error.contains("postgres://"), "the error holds no address with a password: {error}");
}
