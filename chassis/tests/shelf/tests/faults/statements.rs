//! Statements that are rendered from rows: one row or many, all or nothing.

use devstack::testing::Servers;
use mart_chassis::db::{Statement, write};
use mart_chassis::{Database, sql, table_row};
use mart_kernel::{CommitError, CommitOutcome, Receipt, Version};
use sqlx::{Connection, PgConnection, Row};

use crate::fixture::config;

table_row! {
    struct ItemRow in item (product_id) {
        product_id: String,
        version: i64,
        name: String,
    }
}

table_row! {
    struct AppliedRow in applied {
        product_id: String,
        version: i64,
    }
}

table_row! {
    struct OrderRow in order (user) {
        user: String,
        r#type: String,
        crate_: Vec<String> = "crate",
        limit: Option<i32>,
    }
}

/// Tables whose names are keywords, with a unique column beside the key.
const TABLES: &str = r#"create table "order" ("user" text primary key, "type" text unique, "crate" text[], "limit" integer);
    grant select, insert, update on "order" to shelf_app"#;

async fn databases() -> (Database, PgConnection) {
    let urls = Servers::from_env().database("shelf").await.expect("a database");
    mart_chassis::db::migrate(&config(&urls.owner), &shelf_service::wiring::MIGRATIONS).await.expect("migrated");
    let owner = PgConnection::connect(&urls.owner).await.expect("connected");
    (Database::new(&config(&urls.app)).expect("pools"), owner)
}

fn item(n: usize, version: i64, name: &str) -> ItemRow {
    ItemRow { product_id: format!("p{n:03}"), version, name: name.to_owned() }
}

fn receipt(key: &str) -> Receipt {
    Receipt { scope: "test".to_owned(), key: key.to_owned(), fingerprint: [0; 32], subject: String::new() }
}

fn version(number: i64) -> Version {
    Version::from_stored(number).expect("not negative")
}

/// Returns one column of a query as text.
async fn column(owner: &mut PgConnection, query: &'static str) -> Vec<String> {
    let rows = sqlx::query(query).fetch_all(owner).await.expect("read");
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_hundred_rows_are_written_by_one_statement_in_their_order() {
    let (database, mut owner) = databases().await;
    let items = (0..100).map(|n| item(n, 1, "new")).collect();
    let applied = (0..100).rev().map(|n| AppliedRow { product_id: format!("p{n:03}"), version: 1 }).collect();
    let statement = Statement::insert_all(items).then_insert(applied);
    assert_eq!(database.commit(statement, None, Vec::new()).await, Ok(CommitOutcome::Committed));
    let order = column(&mut owner, "select product_id from applied order by position").await;
    let expected: Vec<String> = (0..100).rev().map(|n| format!("p{n:03}")).collect();
    assert_eq!(order, expected);

    let changed = (0..100).map(|n| (item(n, 2, "changed"), version(1))).collect();
    assert_eq!(database.commit(Statement::update_all(changed), None, Vec::new()).await, Ok(CommitOutcome::Committed));
    let names = column(&mut owner, "select distinct name || ' ' || version from item").await;
    assert_eq!(names, ["changed 2"]);
}

#[tokio::test]
async fn one_stale_row_among_many_is_a_conflict_that_writes_nothing() {
    let (database, mut owner) = databases().await;
    let items = (0..3).map(|n| item(n, 1, "new")).collect();
    database.commit(Statement::insert_all(items), None, Vec::new()).await.expect("stored");
    let changes = [(0, 1), (1, 2), (2, 1)];
    let changed = changes.map(|(n, read)| (item(n, read + 1, "changed"), version(read))).into();
    let applied = vec![AppliedRow { product_id: "p000".to_owned(), version: 2 }];
    let statement = Statement::update_all(changed).then_insert(applied);
    let done = database.commit(statement, Some(&receipt("stale")), Vec::new()).await;
    assert_eq!(done, Err(CommitError::Conflict));
    let stored = "select name from item union select product_id from applied union select key from receipt";
    assert_eq!(column(&mut owner, stored).await, ["new"]);
}

#[tokio::test]
async fn a_row_whose_parent_is_missing_is_a_conflict() {
    let (database, mut owner) = databases().await;
    let applied = |version| vec![AppliedRow { product_id: "p000".to_owned(), version }];
    let missing = Statement::if_exists::<ItemRow>("p000").then_insert(applied(1));
    assert_eq!(database.commit(missing, None, Vec::new()).await, Err(CommitError::Conflict));
    database.commit(Statement::insert(item(0, 1, "new")), None, Vec::new()).await.expect("stored");
    let existing = Statement::if_exists::<ItemRow>("p000").then_insert(applied(2));
    assert_eq!(database.commit(existing, None, Vec::new()).await, Ok(CommitOutcome::Committed));
    assert_eq!(column(&mut owner, "select version::text from applied").await, ["2"]);
}

#[tokio::test]
async fn names_that_are_keywords_are_quoted_and_only_the_named_unique_value_is_ignored() {
    let (database, mut owner) = databases().await;
    sqlx::raw_sql(TABLES).execute(&mut owner).await.expect("created");
    let order = |user: &str, r#type: &str, limit| OrderRow {
        user: user.to_owned(),
        r#type: r#type.to_owned(),
        crate_: vec!["a".to_owned(), "b, c".to_owned()],
        limit,
    };
    let first = [order("ann", "x", Some(1)), order("bob", "y", None)];
    assert_eq!(write::insert_new(first.clone(), "\"user\"").execute(database.pool()).await.expect("written"), 2);
    let again = [order("ann", "z", Some(9)), order("eve", "v", None)];
    assert_eq!(write::insert_new(again, "\"user\"").execute(database.pool()).await.expect("written"), 1);
    let taken = write::insert_new([order("dan", "x", None)], "\"user\"").execute(database.pool()).await;
    assert!(
        taken.expect_err("x is taken").as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
    );
    assert_eq!(write::upsert([order("bob", "y", Some(7))]).execute(database.pool()).await.expect("written"), 1);
    assert_eq!(write::upsert(None::<OrderRow>).execute(database.pool()).await.expect("nothing to do"), 0);
    let query = sql!("select * from \"order\" where \"user\" = $user", user = "bob");
    let stored = database.fetch_all(query, <OrderRow as mart_chassis::db::row::TableRow>::read).await.expect("read");
    assert_eq!(stored, [order("bob", "y", Some(7))]);
}
