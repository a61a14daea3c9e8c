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

    /// The first rows of a query with this limit. A row that can't be read is an error of its own read, never of a list: it is
    /// logged, counted in `rows_unreadable_total` and left out, and the next one takes its place.
    pub async fn list<'q, T>(
        &self,
        limit: usize,
        query: impl Fn(i64) -> Query<'q, sqlx::Postgres, PgArguments> + Send,
        read: fn(&PgRow) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>, Unavailable> {
        let mut asked = limit;
        loop {
            let (mut found, left_out) = self.readable(query(i64::try_from(asked).unwrap_or(i64::MAX)), read).await?;
            let Some(more) = more(limit, asked, found.len(), left_out) else {
                found.truncate(limit);
                return Ok(found);
            };
            asked = more;
        }
    }

    /// The rows of a query that can be read, and how many can't: those are logged and counted in `rows_unreadable_total`.
    pub async fn readable<T>(
        &self,
        query: Query<'_, sqlx::Postgres, PgArguments>,
        read: fn(&PgRow) -> Result<T, sqlx::Error>,
    ) -> Result<(Vec<T>, usize), Unavailable> {
        let rows = query.fetch_all(self.pool()).await.map_err(|error| unavailable(&error))?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            match read(row) {
                Ok(value) => found.push(value),
                Err(error) => unreadable(row.try_get(0).unwrap_or_default(), &error),
            }
        }
        let left_out = rows.len() - found.len();
        Ok((found, left_out))
    }

    /// Writes by one statement, and tells nobody; whether there was a row to write.
    pub async fn write(&self, statement: Query<'_, sqlx::Postgres, PgArguments>) -> Result<bool, Unavailable> {
        crate::points::pass!("commit.before");
        let written = statement.execute(self.pool()).await.map_err(|error| unavailable(&error))?;
        crate::points::pass!("commit.after");
        Ok(written.rows_affected() > 0)
    }
}

/// How many rows of a list to ask for next, if some of those that were asked for could not be read; `None` if there are enough, or no more.
pub fn more(limit: usize, asked: usize, found: usize, left_out: usize) -> Option<usize> {
    (left_out > 0 && found < limit && found + left_out == asked).then_some(limit + left_out)
}

/// Logs and counts what can't be read and is left out of a list.
pub fn unreadable(id: uuid::Uuid, error: &dyn std::error::Error) {
    tracing::error!(%id, %error, "a row can't be read and is left out");
    metrics::counter!("rows_unreadable_total").increment(1);
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
