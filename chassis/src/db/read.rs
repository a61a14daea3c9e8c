//! Single statements, and reading what was stored. What no row can have is an error of decoding, never a panic.

use mart_kernel::{Timestamp, Unavailable, Version};
use sqlx::Row;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use time::OffsetDateTime;

use super::{Database, unavailable};

impl Database {
    /// All rows of a query, each read.
    pub async fn rows<T>(
        &self,
        query: Query<'_, sqlx::Postgres, PgArguments>,
        read: fn(&PgRow) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>, Unavailable> {
        let rows = query.fetch_all(self.pool()).await;
        rows.and_then(|rows| rows.iter().map(read).collect()).map_err(|error| unavailable(&error))
    }

    /// Writes by one statement, and tells nobody; whether there was a row to write.
    pub async fn write(&self, statement: Query<'_, sqlx::Postgres, PgArguments>) -> Result<bool, Unavailable> {
        crate::points::pass!("commit.before");
        let written = statement.execute(self.pool()).await.map_err(|error| unavailable(&error))?;
        crate::points::pass!("commit.after");
        Ok(written.rows_affected() > 0)
    }
}

/// What is wrong with a row.
pub fn wrong(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(what.into())
}

/// A version of a column.
pub fn version(row: &PgRow, column: &str) -> Result<Version, sqlx::Error> {
    Version::from_stored(row.try_get(column)?).ok_or_else(|| wrong("a negative version"))
}

/// A point in time of a column.
pub fn time(row: &PgRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    row.try_get::<OffsetDateTime, _>(column).map(Timestamp::new)
}
