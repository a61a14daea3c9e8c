//! Single statements, and decoding of rows. An invalid stored value is a decoding error, never a panic.

use mart_kernel::{StoreError, Version};
use sqlx::Row;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;

use super::row::TableRow;
use super::write::Write;
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

    /// Returns all rows of a query as values of the core. See [`decode`].
    pub async fn fetch<R: TableRow, T: TryFrom<R, Error = sqlx::Error>>(
        &self,
        query: Query<'_, sqlx::Postgres, PgArguments>,
    ) -> Result<Vec<T>, StoreError> {
        self.fetch_all(query, decode::<R, T>).await
    }

    /// Executes [`Write`] without publishing events. Returns whether it wrote a row.
    pub async fn write(&self, write: Write) -> Result<bool, StoreError> {
        crate::failpoints::failpoint!("commit.before");
        let written = write.execute(self.pool()).await.map_err(|error| unavailable(&error))?;
        crate::failpoints::failpoint!("commit.after");
        Ok(written > 0)
    }

    /// Executes a statement that writes without publishing events. Returns whether it affected a row.
    pub async fn execute(&self, statement: Query<'_, sqlx::Postgres, PgArguments>) -> Result<bool, StoreError> {
        crate::failpoints::failpoint!("commit.before");
        let written = statement.execute(self.pool()).await.map_err(|error| unavailable(&error))?;
        crate::failpoints::failpoint!("commit.after");
        Ok(written.rows_affected() > 0)
    }
}

/// Decodes a row by its struct into a value of the core.
pub fn decode<R: TableRow, T: TryFrom<R, Error = sqlx::Error>>(row: &PgRow) -> Result<T, sqlx::Error> {
    T::try_from(R::read(row)?)
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

/// Returns the version that a column has.
pub fn version(stored: i64) -> Result<Version, sqlx::Error> {
    Version::from_stored(stored).ok_or_else(|| decode_error("a negative version"))
}
