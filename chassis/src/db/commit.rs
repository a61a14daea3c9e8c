//! The commit of a use case in one SQL statement.
//!
//! A service writes its part as SQL and [`insert_sql!`](crate::insert_sql), [`update_sql!`](crate::update_sql) or
//! [`EVENTS_ONLY`] puts receipt and outbox around it. Parameters `$1` to `$12` are this module's; the service's own start
//! at `$13`. Within its part the service selects `from go`, which has a row only where the receipt is new.

use mart_kernel::{CommitError, Done, Receipt, Unavailable};
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Database, unavailable};
use crate::Record;

/// A statement whose parameters are being bound.
pub type Statement = Query<'static, Postgres, PgArguments>;

/// The outbox part of every commit: one row per event, in their order.
#[doc(hidden)]
#[macro_export]
macro_rules! outbox_sql {
    ($where:literal) => {
        concat!(
            "sent as (insert into outbox (id, topic, key, kind, version, at, payload, traceparent) ",
            "select id, topic, key, kind, version, at, payload, $12 ",
            "from unnest($5::uuid[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::timestamptz[], $11::bytea[]) ",
            "with ordinality as event (id, topic, key, kind, version, at, payload, nth) ",
            $where,
            " order by nth) "
        )
    };
}

/// A commit that creates a row: receipt, then write, then outbox.
///
/// The write is an `insert … select … from go returning …`. Further common table expressions, each ending with a comma,
/// may follow it and select `from written`.
///
/// The receipt comes before the write, so that a second request with the same key waits for the first instead of
/// colliding with its unique values.
#[macro_export]
macro_rules! insert_sql {
    ($write:literal $(, $more:literal)*) => {
        concat!(
            "with receipt_kept as (insert into receipt (scope, key, fingerprint, subject) ",
            "select $1, $2, $3, $4 where $1::text is not null on conflict do nothing returning 1), ",
            "go as (select 1 where $1 is null or exists (select from receipt_kept)), ",
            "written as (", $write, "), ", $($more,)*
            $crate::outbox_sql!("where exists (select from written)"),
            "select count(*) from written"
        )
    };
}

/// A commit that changes a row at the version that was read: lock, then receipt, then write, then outbox.
///
/// The first part selects the row at its version `for update`; without it a stale version would commit its receipt and
/// nothing else.
#[macro_export]
macro_rules! update_sql {
    ($cur:literal, $write:literal $(, $more:literal)*) => {
        concat!(
            "with cur as (", $cur, "), ",
            "receipt_kept as (insert into receipt (scope, key, fingerprint, subject) ",
            "select $1, $2, $3, $4 where $1::text is not null and exists (select from cur) ",
            "on conflict do nothing returning 1), ",
            "go as (select cur.* from cur where $1 is null or exists (select from receipt_kept)), ",
            "written as (", $write, "), ", $($more,)*
            $crate::outbox_sql!("where exists (select from written)"),
            "select count(*) from written"
        )
    };
}

/// A commit that changes no row of the service: receipt, then outbox.
pub const EVENTS_ONLY: &str = concat!(
    "with receipt_kept as (insert into receipt (scope, key, fingerprint, subject) ",
    "select $1, $2, $3, $4 where $1::text is not null on conflict do nothing returning 1), ",
    "go as (select 1 where $1 is null or exists (select from receipt_kept)), ",
    outbox_sql!("where exists (select from go)"),
    "select count(*) from go"
);

impl Database {
    /// Runs a commit: `bind` adds the service's own parameters, `taken` names the unique value behind a constraint.
    ///
    /// The statement is one autocommitted round trip, so dropping the future can't leave a transaction behind.
    pub async fn commit<U>(
        &self,
        sql: &'static str,
        receipt: Option<&Receipt>,
        records: Vec<Record>,
        bind: impl FnOnce(Statement) -> Statement,
        taken: impl FnOnce(&str) -> Option<U>,
    ) -> Result<Done, CommitError<U>> {
        let tells = !records.is_empty();
        crate::points::pass!("commit.before");
        let statement = bind(bind_shared(sqlx::query(sql), receipt, records));
        let written: i64 = match statement.fetch_one(&self.pool).await {
            Ok(row) => sqlx::Row::try_get(&row, 0).map_err(|error| unavailable(&error))?,
            Err(error) => return Err(failed(&error, taken)),
        };
        crate::points::pass!("commit.after");
        if written > 0 {
            if tells {
                self.committed.notify_one();
            }
            return Ok(Done::Committed);
        }
        // The receipt wins over the conflict: who comes again after a success has read the older version.
        match receipt {
            Some(receipt) => self.processed(receipt).await?.ok_or(CommitError::Conflict),
            None => Err(CommitError::Conflict),
        }
    }

    /// What is known of a receipt, where it is kept.
    pub async fn processed(&self, receipt: &Receipt) -> Result<Option<Done>, Unavailable> {
        let kept: Option<(Vec<u8>, String)> =
            sqlx::query_as("select fingerprint, subject from receipt where scope = $1 and key = $2")
                .bind(receipt.scope.clone())
                .bind(receipt.key.clone())
                .fetch_optional(&self.pool)
                .await
                .map_err(|error| unavailable(&error))?;
        Ok(kept.map(|(fingerprint, subject)| Done::AlreadyProcessed {
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
    let mut kinds: Vec<String> = Vec::with_capacity(count);
    let mut versions: Vec<i64> = Vec::with_capacity(count);
    let mut times: Vec<OffsetDateTime> = Vec::with_capacity(count);
    let mut payloads: Vec<Vec<u8>> = Vec::with_capacity(count);
    for record in records {
        ids.push(record.id);
        topics.push(record.topic);
        keys.push(record.key);
        kinds.push(record.kind);
        versions.push(record.version.get());
        times.push(record.at.get());
        payloads.push(record.payload);
    }
    statement.bind(ids).bind(topics).bind(keys).bind(kinds).bind(versions).bind(times).bind(payloads).bind(trace)
}

fn failed<U>(error: &sqlx::Error, taken: impl FnOnce(&str) -> Option<U>) -> CommitError<U> {
    let unique = error.as_database_error().filter(|error| error.is_unique_violation());
    match unique.and_then(|error| error.constraint()).and_then(taken) {
        Some(value) => CommitError::Taken(value),
        None => CommitError::Unavailable(unavailable(error)),
    }
}
