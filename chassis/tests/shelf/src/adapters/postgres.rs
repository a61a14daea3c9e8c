//! The store in PostgreSQL.

use mart_chassis::db::unavailable;
use mart_chassis::{Database, insert_sql};
use mart_kernel::{CommitError, CommitOutcome, Receipt, StoreError, Version};
use sqlx::Row;

use crate::core::{Item, Items};

/// Stores an item and a line of the log. `$13` product, `$14` version, `$15` name.
pub const STORE: &str = insert_sql!(
    "insert into item as stored (product_id, version, name) select $13, $14, $15 from guard \
     on conflict (product_id) do update set version = $14, name = $15 where stored.version = $14 - 1 returning product_id",
    "logged as (insert into applied (product_id, version) select product_id, $14 from written), "
);

/// The store of items.
#[derive(Debug, Clone)]
pub struct PostgresItems(Database);

impl PostgresItems {
    /// Creates the store in a database.
    pub fn new(database: Database) -> Self {
        Self(database)
    }
}

impl Items for PostgresItems {
    async fn find(&self, product_id: &str) -> Result<Option<Item>, StoreError> {
        let query = sqlx::query("select product_id, version, name from item where product_id = $1").bind(product_id);
        let row = query.fetch_optional(self.0.pool()).await.map_err(|error| unavailable(&error))?;
        let item = |row: sqlx::postgres::PgRow| {
            let version = Version::from_stored(row.try_get("version")?).unwrap_or(Version::NONE);
            Ok(Item { product_id: row.try_get("product_id")?, version, name: row.try_get("name")? })
        };
        row.map(item).transpose().map_err(|error| unavailable(&error))
    }

    async fn store(&self, item: Item, receipt: Receipt) -> Result<CommitOutcome, CommitError<()>> {
        let bind = |statement: mart_chassis::db::commit::Statement| {
            statement.bind(item.product_id).bind(item.version.get()).bind(item.name)
        };
        self.0.commit(STORE, Some(&receipt), Vec::new(), bind, |_| None).await
    }
}
