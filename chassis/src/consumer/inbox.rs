//! The inbox table: records that are pending a retry, and dead letters.
//!
//! A dead letter is a state of the same row, so replaying it is one update. It blocks no other record. Times come from the
//! database's clock, so that leases mean the same to all replicas.

use std::collections::HashSet;
use std::time::Duration;

use mart_kernel::StoreError;
use prost::Message;
use serde::Serialize;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, Row};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Database;
use crate::config::Retries;
use crate::db::unavailable;
use crate::record::RawRecord;
use crate::sql;

/// The pending records and dead letters of one service.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    database: Database,
    pub(super) retries: Retries,
}

/// A record that is due for a retry.
pub(super) struct Due {
    pub(super) position: i64,
    pub(super) handler: String,
    pub(super) attempts: u32,
    pub(super) raw: RawRecord,
    pub(super) expired: bool,
}

/// A dead letter in the operators' API.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeadLetter {
    pub(crate) id: i64,
    handler: String,
    key: String,
    event: String,
    event_type: Option<String>,
    reason: String,
    attempts: i32,
    first_at: Option<String>,
    dead_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<RawRecordView>,
}

/// A record in the operators' API. Bytes are base64, as in ProtoJSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RawRecordView {
    topic: String,
    partition: i32,
    offset: i64,
    timestamp: Option<i64>,
    key: Option<String>,
    headers: Vec<(String, Option<String>)>,
    payload: Option<String>,
}

impl Inbox {
    pub(crate) fn new(database: Database, retries: Retries) -> Self {
        Self { database, retries }
    }

    /// Returns those of these handlers and keys that have a pending record.
    pub(super) async fn blocked_keys(
        &self,
        lanes: &[(String, String)],
    ) -> Result<HashSet<(String, String)>, StoreError> {
        let (handlers, keys): (Vec<String>, Vec<String>) = lanes.iter().cloned().unzip();
        let query = sql!(
            "select distinct handler, key from inbox \
             where dead_at is null and (handler, key) in (select * from unnest($handlers::text[], $keys::text[]))",
            handlers = handlers,
            keys = keys,
        );
        let lane = |row: &PgRow| Ok((row.try_get("handler")?, row.try_get("key")?));
        self.database.fetch_all(query, lane).await.map(|lanes| lanes.into_iter().collect())
    }

    /// Appends a record to its queue, or stores it as a dead letter. A record that is already stored stays unchanged.
    pub(super) async fn enqueue(
        &self,
        handler: &str,
        raw: &RawRecord,
        reason: &str,
        dead: bool,
        pause: Duration,
    ) -> Result<(), StoreError> {
        let (event, key) = super::name_and_key(raw);
        let query = sql!(
            "insert into inbox (handler, key, event, raw, reason, attempts, next_at, deadline, dead_at) \
             values ($handler, $key, $event, $raw, $reason, 1, now() + make_interval(secs => $pause), \
             now() + make_interval(secs => $max_age), case when $dead then now() end) on conflict do nothing",
            handler = handler,
            key = key,
            event = event,
            raw = raw.encode_to_vec(),
            reason = reason.replace('\0', " "),
            pause = pause.as_secs_f64(),
            max_age = self.retries.max_age.as_secs_f64(),
            dead = dead,
        );
        self.affects(query).await.map(|_| ())
    }

    /// Leases the first record of each queue that is due.
    pub(super) async fn due(&self, limit: i64) -> Result<Vec<Due>, StoreError> {
        let query = sql!(
            "update inbox set next_at = now() + make_interval(secs => $lease) where position in (\
             select position from inbox head where dead_at is null and next_at <= now() \
             and not exists (select from inbox before where before.handler = head.handler \
             and before.key = head.key and before.position < head.position and before.dead_at is null) \
             order by next_at limit $limit for update skip locked) \
             returning position, handler, attempts, raw, deadline <= now() as expired",
            lease = self.retries.lease.as_secs_f64(),
            limit = limit,
        );
        let due = |row: &PgRow| {
            let raw: Vec<u8> = row.try_get("raw")?;
            Ok(Due {
                position: row.try_get("position")?,
                handler: row.try_get("handler")?,
                attempts: u32::try_from(row.try_get::<i32, _>("attempts")?).unwrap_or(u32::MAX),
                raw: RawRecord::decode(raw.as_slice()).unwrap_or_default(),
                expired: row.try_get("expired")?,
            })
        };
        self.database.fetch_all(query, due).await
    }

    pub(super) async fn complete(&self, position: i64) -> Result<(), StoreError> {
        let query = sql!("delete from inbox where position = $position and dead_at is null", position = position);
        self.affects(query).await.map(|_| ())
    }

    /// Counts an attempt and schedules the next one.
    pub(super) async fn reschedule(&self, position: i64, reason: &str, pause: Duration) -> Result<(), StoreError> {
        let query = sql!(
            "update inbox set attempts = attempts + 1, reason = $reason, \
             next_at = now() + make_interval(secs => $pause) where position = $position and dead_at is null",
            reason = reason.replace('\0', " "),
            pause = pause.as_secs_f64(),
            position = position,
        );
        self.affects(query).await.map(|_| ())
    }

    /// Releases a lease without counting an attempt.
    pub(super) async fn release_lease(&self, position: i64) -> Result<(), StoreError> {
        let query = sql!(
            "update inbox set next_at = now() + interval '1 second' where position = $position",
            position = position,
        );
        self.affects(query).await.map(|_| ())
    }

    pub(super) async fn dead_letter(&self, position: i64, reason: &str) -> Result<(), StoreError> {
        let query = sql!(
            "update inbox set attempts = attempts + 1, reason = $reason, dead_at = now() where position = $position",
            reason = reason.replace('\0', " "),
            position = position,
        );
        self.affects(query).await?;
        metrics::counter!("dead_letters_total").increment(1);
        Ok(())
    }

    /// Returns the dead letters after a position, oldest first.
    pub(crate) async fn letters(&self, after: i64, limit: i64) -> Result<Vec<DeadLetter>, StoreError> {
        let query = sql!(
            "select * from inbox where dead_at is not null and position > $after order by position limit $limit",
            after = after,
            limit = limit,
        );
        self.database.fetch_all(query, |row| letter(row, false)).await
    }

    /// Returns one dead letter with its record.
    pub(crate) async fn letter(&self, id: i64) -> Result<Option<DeadLetter>, StoreError> {
        let query = sql!("select * from inbox where dead_at is not null and position = $position", position = id);
        Ok(self.database.fetch_all(query, |row| letter(row, true)).await?.pop())
    }

    /// Makes a dead letter pending again, with its attempts and age reset. Returns `false` if there is no such dead letter.
    pub(crate) async fn replay(&self, id: i64) -> Result<bool, StoreError> {
        let query = sql!(
            "update inbox set dead_at = null, attempts = 0, next_at = now(), \
             deadline = now() + make_interval(secs => $max_age) where position = $position and dead_at is not null",
            max_age = self.retries.max_age.as_secs_f64(),
            position = id,
        );
        self.affects(query).await
    }

    /// Deletes a dead letter. Returns `false` if there is no such dead letter.
    pub(crate) async fn discard(&self, id: i64) -> Result<bool, StoreError> {
        let query = sql!("delete from inbox where position = $position and dead_at is not null", position = id);
        self.affects(query).await
    }

    /// Returns the number of pending records and of dead letters.
    pub(crate) async fn counts(&self) -> Result<(i64, i64), StoreError> {
        let sql =
            "select count(*) filter (where dead_at is null), count(*) filter (where dead_at is not null) from inbox";
        sqlx::query_as(sql).fetch_one(self.database.pool()).await.map_err(|error| unavailable(&error))
    }

    /// Executes a statement. Returns whether it affected a row.
    async fn affects(&self, query: Query<'_, Postgres, PgArguments>) -> Result<bool, StoreError> {
        let done = query.execute(self.database.pool()).await;
        done.map(|done| done.rows_affected() > 0).map_err(|error| unavailable(&error))
    }
}

fn letter(row: &PgRow, whole: bool) -> Result<DeadLetter, sqlx::Error> {
    let raw = RawRecord::decode(row.try_get::<Vec<u8>, _>("raw")?.as_slice()).unwrap_or_default();
    let moment = |column| -> Result<Option<String>, sqlx::Error> {
        Ok(row.try_get::<Option<OffsetDateTime>, _>(column)?.and_then(|at| at.format(&Rfc3339).ok()))
    };
    Ok(DeadLetter {
        id: row.try_get("position")?,
        handler: row.try_get("handler")?,
        key: row.try_get("key")?,
        event: row.try_get("event")?,
        event_type: raw.header("ce_type").map(str::to_owned),
        reason: row.try_get("reason")?,
        attempts: row.try_get("attempts")?,
        first_at: moment("first_at")?,
        dead_at: moment("dead_at")?,
        record: whole.then(|| shown(raw)),
    })
}

fn shown(raw: RawRecord) -> RawRecordView {
    use base64::Engine;
    let base64 = |bytes: Vec<u8>| base64::engine::general_purpose::STANDARD.encode(bytes);
    RawRecordView {
        topic: raw.topic,
        partition: raw.partition,
        offset: raw.offset,
        timestamp: raw.timestamp,
        key: raw.key.map(base64),
        headers: raw.headers.into_iter().map(|header| (header.name, header.value.map(base64))).collect(),
        payload: raw.payload.map(base64),
    }
}
