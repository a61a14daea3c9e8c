//! Transactions over several rows: lock them, decide without waiting for anything else, write.

use futures::future::BoxFuture;
use mart_kernel::{Receipt, StoreError};
use sqlx::{AssertSqlSafe, PgConnection};

use super::{Database, Statement, unavailable};
use crate::{Record, failpoints, trace};

impl Database {
    /// Runs `body` in a transaction. `body` locks its rows in the order of their ids, lets the core decide (a pure function) and
    /// writes. If it returns `Ok(None)`, the transaction is rolled back.
    ///
    /// Only this function begins a transaction. It runs in a separate task on a separate pool, so that a client that disconnects
    /// drops the waiting handler but never the transaction.
    pub async fn transact<T: Send + 'static>(
        &self,
        body: impl for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<Option<T>, sqlx::Error>> + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        let database = self.clone();
        let work = async move {
            #[expect(clippy::disallowed_methods, reason = "the only place, in a task that no client can cancel")]
            let mut transaction = database.transactions.begin().await?;
            let decided = body(&mut transaction).await?;
            if decided.is_some() {
                failpoints::failpoint!("commit.before");
                transaction.commit().await?;
                failpoints::failpoint!("commit.after");
                database.outbox_notify.notify_one();
            } else {
                transaction.rollback().await?;
            }
            Ok::<_, sqlx::Error>(decided)
        };
        let done = trace::detached(work).await.map_err(|error| {
            tracing::error!(%error, "a transaction panicked and was rolled back");
            StoreError::Internal
        })?;
        done.map_err(|error| unavailable(&error))
    }
}

/// Stores a receipt and events within a transaction. Returns `false` if the receipt already existed and the transaction has to be
/// rolled back.
pub async fn append_outbox(
    connection: &mut PgConnection,
    receipt: Option<&Receipt>,
    records: Vec<Record>,
) -> Result<bool, sqlx::Error> {
    let statement = Statement::events_only();
    let sql = AssertSqlSafe(statement.sql());
    let arguments = statement.arguments(receipt, records).map_err(sqlx::Error::Encode)?;
    let written: i64 = sqlx::query_scalar_with(sql, arguments).fetch_one(connection).await?;
    Ok(written > 0)
}
