//! Decisions over several rows: lock them, decide without waiting for anything, write.

use futures::future::BoxFuture;
use mart_kernel::{Receipt, Unavailable};
use sqlx::PgConnection;

use super::commit::{EVENTS_ONLY, bind_shared};
use super::{Database, unavailable};
use crate::{Record, points, trace};

impl Database {
    /// Runs a decision in a transaction of its own. `body` locks its rows in the order of their ids, lets the core decide
    /// (a pure function) and writes; `Ok(None)` from it takes everything back.
    ///
    /// This is the only place that begins a transaction. It runs in a task of its own on a pool of its own: a client that
    /// disconnects drops the handler that waits here, never the transaction.
    pub async fn decide<T: Send + 'static>(
        &self,
        body: impl for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<Option<T>, sqlx::Error>> + Send + 'static,
    ) -> Result<Option<T>, Unavailable> {
        let database = self.clone();
        let work = async move {
            #[expect(clippy::disallowed_methods, reason = "the one place, in a task that no client can cancel")]
            let mut transaction = database.decisions.begin().await?;
            let decided = body(&mut transaction).await?;
            if decided.is_some() {
                points::pass!("commit.before");
                transaction.commit().await?;
                points::pass!("commit.after");
                database.committed.notify_one();
            } else {
                transaction.rollback().await?;
            }
            Ok::<_, sqlx::Error>(decided)
        };
        let done = trace::detached(work).await.map_err(|error| {
            tracing::error!(%error, "a decision panicked and was taken back");
            Unavailable::Failed
        })?;
        done.map_err(|error| unavailable(&error))
    }
}

/// Keeps the receipt and the events of a decision within its transaction; `false` where the receipt was there already and
/// the decision has to be taken back.
pub async fn append(
    connection: &mut PgConnection,
    receipt: Option<&Receipt>,
    records: Vec<Record>,
) -> Result<bool, sqlx::Error> {
    let row = bind_shared(sqlx::query(EVENTS_ONLY), receipt, records).fetch_one(connection).await?;
    Ok(sqlx::Row::try_get::<i64, _>(&row, 0)? > 0)
}
