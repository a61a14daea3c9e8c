//! The commit of a use case: one autocommitted statement with its receipt and events.

use std::convert::Infallible;

use mart_kernel::{CommitError, CommitOutcome, Receipt, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row};

use super::{Database, Statement, unavailable};
use crate::{Record, sql};

impl Database {
    /// Runs a commit of a service without unique values besides its keys.
    pub async fn commit(
        &self,
        statement: Statement,
        receipt: Option<&Receipt>,
        records: Vec<Record>,
    ) -> Result<CommitOutcome, CommitError<Infallible>> {
        self.commit_unique(statement, receipt, records, |_| None).await
    }

    /// Runs a commit. `duplicate` maps the name of a violated unique constraint to the value that it names.
    ///
    /// The statement is one autocommitted round trip, so that dropping the future leaves no transaction open.
    pub async fn commit_unique<U>(
        &self,
        statement: Statement,
        receipt: Option<&Receipt>,
        records: Vec<Record>,
        duplicate: impl FnOnce(&str) -> Option<U>,
    ) -> Result<CommitOutcome, CommitError<U>> {
        let publishes = !records.is_empty();
        let sql = statement.sql();
        let arguments = statement.arguments(receipt, records);
        let arguments = arguments.map_err(|error| unavailable(&sqlx::Error::Encode(error)))?;
        crate::failpoints::failpoint!("commit.before");
        let query = sqlx::query_scalar_with(AssertSqlSafe(sql), arguments);
        let written: i64 = match query.fetch_one(&self.pool).await {
            Ok(written) => written,
            Err(error) => return Err(commit_error(&error, duplicate)),
        };
        crate::failpoints::failpoint!("commit.after");
        if written > 0 {
            if publishes {
                self.outbox_notify.notify_one();
            }
            return Ok(CommitOutcome::Committed);
        }
        // A retry after a success still carries the old version, so check the receipt before reporting a conflict.
        match receipt {
            Some(receipt) => self.find_receipt(receipt).await?.ok_or(CommitError::Conflict),
            None => Err(CommitError::Conflict),
        }
    }

    /// Returns the earlier result of a request with this receipt, or `None` if the receipt is new.
    pub async fn find_receipt(&self, receipt: &Receipt) -> Result<Option<CommitOutcome>, StoreError> {
        let query = sql!(
            "select fingerprint, subject from receipt where scope = $scope and key = $key",
            scope = &receipt.scope,
            key = &receipt.key,
        );
        let row = query.fetch_optional(&self.pool).await.map_err(|error| unavailable(&error))?;
        let outcome = |row: PgRow| {
            let fingerprint: Vec<u8> = row.try_get("fingerprint")?;
            let same_request = fingerprint == receipt.fingerprint;
            Ok(CommitOutcome::AlreadyProcessed { same_request, subject: row.try_get("subject")? })
        };
        row.map(outcome).transpose().map_err(|error: sqlx::Error| unavailable(&error))
    }
}

fn commit_error<U>(error: &sqlx::Error, duplicate: impl FnOnce(&str) -> Option<U>) -> CommitError<U> {
    let unique = error.as_database_error().filter(|error| error.is_unique_violation());
    match unique.and_then(|error| error.constraint()).and_then(duplicate) {
        Some(value) => CommitError::Duplicate(value),
        None => CommitError::Unavailable(unavailable(error)),
    }
}
