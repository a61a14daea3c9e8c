//! The commit of a use case in one SQL statement.
//!
//! A service writes its part as SQL. [`insert_sql!`](crate::insert_sql), [`update_sql!`](crate::update_sql) or [`EVENTS_ONLY`]
//! adds the receipt and the outbox. Parameters `$1` to `$12` belong to this module; the service's start at `$13`. The service's
//! part selects `from guard`, which has a row only if the receipt is new.

use mart_kernel::{CommitError, CommitOutcome, Receipt, StoreError};
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Database, unavailable};
use crate::Record;

/// A statement whose parameters are being bound.
pub type Statement = Query<'static, Postgres, PgArguments>;

/// The outbox part of a commit: one row per event, in their order.
#[doc(hidden)]
#[macro_export]
macro_rules! outbox_sql {
    ($where:literal) => {
        concat!(
            "outbox_rows as (insert into outbox (id, topic, key, event_type, version, at, payload, traceparent) ",
            "select id, topic, key, event_type, version, at, payload, $12 ",
            "from unnest($5::uuid[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::timestamptz[], $11::bytea[]) ",
            "with ordinality as event (id, topic, key, event_type, version, at, payload, nth) ",
            $where,
            " order by nth) "
        )
    };
}

/// The SQL of a commit that creates a row: receipt, then write, then outbox.
///
/// The write is an `insert … select … from guard returning …`. Further common table expressions, each ending with a comma,
/// may follow it and select `from written`.
///
/// The receipt is inserted before the write, so that a second request with the same key waits for the first one instead of
/// violating its unique constraints.
#[macro_export]
macro_rules! insert_sql {
    ($write:literal $(, $more:literal)*) => {
        concat!(
            "with receipt_kept as (insert into receipt (scope, key, fingerprint, subject) ",
            "select $1, $2, $3, $4 where $1::text is not null on conflict do nothing returning 1), ",
            "guard as (select 1 where $1 is null or exists (select from receipt_kept)), ",
            "written as (", $write, "), ", $($more,)*
            $crate::outbox_sql!("where exists (select from written)"),
            "select count(*) from written"
        )
    };
}

/// The SQL of a commit that changes a row at the version that was read: lock, then receipt, then write, then outbox.
///
/// The first part selects the row at its version `for update`. Without it, a stale version would commit only its receipt.
#[macro_export]
macro_rules! update_sql {
    ($current:literal, $write:literal $(, $more:literal)*) => {
        concat!(
            "with current as (", $current, "), ",
            "receipt_kept as (insert into receipt (scope, key, fingerprint, subject) ",
            "select $1, $2, $3, $4 where $1::text is not null and exists (select from current) ",
            "on conflict do nothing returning 1), ",
            "guard as (select current.* from current where $1 is null or exists (select from receipt_kept)), ",
            "written as (", $write, "), ", $($more,)*
            $crate::outbox_sql!("where exists (select from written)"),
            "select count(*) from written"
        )
    };
}

/// The SQL of a commit without a write of the service: receipt, then outbox.
pub const EVENTS_ONLY: &str = concat!(
    "with receipt_kept as (insert into receipt (scope, key, fingerprint, subject) ",
    "select $1, $2, $3, $4 where $1::text is not null on conflict do nothing returning 1), ",
    "guard as (select 1 where $1 is null or exists (select from receipt_kept)), ",
    outbox_sql!("where exists (select from guard)"),
    "select count(*) from guard"
);

impl Database {
    /// Runs a commit. `bind` adds the service's own parameters; `duplicate` maps the name of a unique constraint to its value.
    ///
    /// The statement is one autocommitted round trip, so that dropping the future leaves no transaction open.
    pub async fn commit<U>(
        &self,
        sql: &'static str,
        receipt: Option<&Receipt>,
        records: Vec<Record>,
        bind: impl FnOnce(Statement) -> Statement,
        duplicate: impl FnOnce(&str) -> Option<U>,
    ) -> Result<CommitOutcome, CommitError<U>> {
        let publishes = !records.is_empty();
        crate::failpoints::failpoint!("commit.before");
        let statement = bind(bind_shared(sqlx::query(sql), receipt, records));
        let written: i64 = match statement.fetch_one(&self.pool).await {
            Ok(row) => sqlx::Row::try_get(&row, 0).map_err(|error| unavailable(&error))?,
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
        let stored: Option<(Vec<u8>, String)> =
            sqlx::query_as("select fingerprint, subject from receipt where scope = $1 and key = $2")
                .bind(receipt.scope.clone())
                .bind(receipt.key.clone())
                .fetch_optional(&self.pool)
                .await
                .map_err(|error| unavailable(&error))?;
        Ok(stored.map(|(fingerprint, subject)| CommitOutcome::AlreadyProcessed {
            same_request: fingerprint == receipt.fingerprint,
            subject,
        }))
    }
}

/// Binds the receipt, the arrays of the outbox part and the trace: `$1` to `$12`.
pub(super) fn bind_shared(statement: Statement, receipt: Option<&Receipt>, records: Vec<Record>) -> Statement {
    let statement = statement
        .bind(receipt.map(|receipt| receipt.scope.clone()))
        .bind(receipt.map(|receipt| receipt.key.clone()))
        .bind(receipt.map(|receipt| receipt.fingerprint.to_vec()))
        .bind(receipt.map(|receipt| receipt.subject.clone()));
    let trace = records.first().map(|record| record.traceparent.clone()).unwrap_or_default();
    let count = records.len();
    let mut ids: Vec<Uuid> = Vec::with_capacity(count);
    let mut topics: Vec<String> = Vec::with_capacity(count);
    let mut keys: Vec<String> = Vec::with_capacity(count);
    let mut event_types: Vec<String> = Vec::with_capacity(count);
    let mut versions: Vec<i64> = Vec::with_capacity(count);
    let mut times: Vec<OffsetDateTime> = Vec::with_capacity(count);
    let mut payloads: Vec<Vec<u8>> = Vec::with_capacity(count);
    for record in records {
        ids.push(record.id);
        topics.push(record.topic);
        keys.push(record.key);
        event_types.push(record.event_type);
        versions.push(record.version.get());
        times.push(record.at.get());
        payloads.push(record.payload);
    }
    statement.bind(ids).bind(topics).bind(keys).bind(event_types).bind(versions).bind(times).bind(payloads).bind(trace)
}

fn commit_error<U>(error: &sqlx::Error, duplicate: impl FnOnce(&str) -> Option<U>) -> CommitError<U> {
    let unique = error.as_database_error().filter(|error| error.is_unique_violation());
    match unique.and_then(|error| error.constraint()).and_then(duplicate) {
        Some(value) => CommitError::Duplicate(value),
        None => CommitError::Unavailable(unavailable(error)),
    }
}
