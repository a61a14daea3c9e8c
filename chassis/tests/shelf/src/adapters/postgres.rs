//! The store in PostgreSQL.

use mart_chassis::db::Statement;
use mart_chassis::db::read;
use mart_chassis::{Database, sql, table_row};
use mart_kernel::{CommitError, CommitOutcome, Receipt, StoreError, Version};

use crate::core::{Item, Items};

table_row! {
    /// A row of `item`.
    pub struct ItemRow in item (product_id) {
        product_id: String,
        version: i64,
        name: String,
    }
}

table_row! {
    /// A row of `applied`, whose key is its position.
    pub struct AppliedRow in applied {
        product_id: String,
        version: i64,
    }
}

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
        let query = sql!("select * from item where product_id = $product_id", product_id = product_id);
        Ok(self.0.fetch::<ItemRow, _>(query).await?.pop())
    }

    async fn store(&self, item: Item, receipt: Receipt) -> Result<CommitOutcome, CommitError<()>> {
        let duplicate = |constraint: &str| (constraint == "item_pkey").then_some(());
        self.0.commit_unique(store(item), Some(&receipt), Vec::new(), duplicate).await
    }
}

/// Returns the statement that stores an item at the version after the stored one, and a line of the log.
pub fn store(item: Item) -> Statement {
    let read = Version::from_stored(item.version.get() - 1).unwrap_or(Version::NONE);
    let Item { product_id, version, name } = item;
    let applied = AppliedRow { product_id: product_id.clone(), version: version.get() };
    let row = ItemRow { product_id, version: version.get(), name };
    let statement = if read == Version::NONE { Statement::insert(row) } else { Statement::update(row, read) };
    statement.then_insert(vec![applied])
}

impl TryFrom<ItemRow> for Item {
    type Error = sqlx::Error;

    fn try_from(row: ItemRow) -> Result<Self, sqlx::Error> {
        let ItemRow { product_id, version, name } = row;
        Ok(Self { product_id, version: read::version(version)?, name })
    }
}
