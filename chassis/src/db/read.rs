//! Single statements, and decoding of rows. An invalid stored value is a decoding error, never a panic.

use mart_kernel::{StoreError, Timestamp, Version};
use sqlx::Row;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use time::OffsetDateTime;

use super::{Database, unavailable};

impl Database {
    /// Returns all rows of a query, decoded.
    pub async fn fetch_all<T>(
        &self,
        query: Query<'_, sqlx::Postgres, PgArguments>,
        read: fn(&PgRow) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = query.fetch_all(self.pool()).await;
        rows.and_then(|rows| rows.iter().map(read).collect()).map_err(|error| unavailable(&error))
    }

    /// Returns the first `limit` rows of a query. A row that cannot be decoded is logged, counted in `rows_unreadable_total` and
    /// skipped; the next row takes its place.
    pub async fn list<'q, T>(
        &self,
        limit: usize,
        query: impl Fn(i64) -> Query<'q, sqlx::Postgres, PgArguments> + Send,
        read: fn(&PgRow) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>, StoreError> {
        let mut requested = limit;
        loop {
            let query = query(i64::try_from(requested).unwrap_or(i64::MAX));
            let (mut found, skipped) = self.readable(query, read).await?;
            let Some(more) = more(limit, requested, found.len(), skipped) else {
                found.truncate(limit);
                return Ok(found);
            };
            requested = more;
        }
    }

    /// Returns the rows of a query that can be decoded, and the number of the others. Those are logged and counted in
    /// `rows_unreadable_total`.
    pub async fn readable<T>(
        &self,
        query: Query<'_, sqlx::Postgres, PgArguments>,
        read: fn(&PgRow) -> Result<T, sqlx::Error>,
    ) -> Result<(Vec<T>, usize), StoreError> {
        let rows = query.fetch_all(self.pool()).await.map_err(|error| unavailable(&error))?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            match read(row) {
                Ok(value) => found.push(value),
                Err(error) => unreadable(row.try_get(0).unwrap_or_default(), &error),
            }
        }
        let skipped = rows.len() - found.len();
        Ok((found, skipped))
    }

    /// Executes a statement that writes without publishing events. Returns whether it affected a row.
    pub async fn execute(&self, statement: Query<'_, sqlx::Postgres, PgArguments>) -> Result<bool, StoreError> {
        crate::failpoints::failpoint!("commit.before");
        let written = statement.execute(self.pool()).await.map_err(|error| unavailable(&error))?;
        crate::failpoints::failpoint!("commit.after");
        Ok(written.rows_affected() > 0)
    }
}

/// Returns the number of rows to request next if some rows could not be decoded; `None` if there are enough or no more rows.
pub fn more(limit: usize, requested: usize, found: usize, skipped: usize) -> Option<usize> {
    (skipped > 0 && found < limit && found + skipped == requested).then_some(limit + skipped)
}

/// Logs and counts a row that cannot be decoded and is skipped.
pub fn unreadable(id: uuid::Uuid, error: &dyn std::error::Error) {
    tracing::error!(%id, %error, "a row can't be decoded and is skipped");
    metrics::counter!("rows_unreadable_total").increment(1);
}

/// Returns the error for a row with an invalid value.
pub fn decode_error(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(what.into())
}

/// Decodes a column's version.
pub fn version(row: &PgRow, column: &str) -> Result<Version, sqlx::Error> {
    Version::from_stored(row.try_get(column)?).ok_or_else(|| decode_error("a negative version"))
}

/// Decodes a column's point in time.
pub fn time(row: &PgRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    row.try_get::<OffsetDateTime, _>(column).map(Timestamp::new)
}
