//! The table of records that wait, which is the table of dead letters too.
//!
//! A dead letter is a state of the same row, so it has lost nothing: replaying it is one update. A dead row holds up no
//! one. Time is the database's, because leases have to mean the same to all replicas.

use std::collections::HashSet;
use std::time::Duration;

use mart_kernel::Unavailable;
use prost::Message;
use serde::Serialize;
use sqlx::Row;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Database;
use crate::config::Retries;
use crate::db::unavailable;
use crate::record::Raw;

/// Waiting records and dead letters of one service.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    database: Database,
    pub(super) retries: Retries,
}

/// A record that is due for another attempt.
pub(super) struct Due {
    pub(super) position: i64,
    pub(super) handler: String,
    pub(super) attempts: u32,
    pub(super) raw: Raw,
    pub(super) expired: bool,
}

/// A dead letter as an operator sees it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Letter {
    pub(crate) id: i64,
    handler: String,
    key: String,
    event: String,
    kind: Option<String>,
    why: String,
    attempts: i32,
    first_at: Option<String>,
    dead_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<Shown>,
}

/// A record to the byte; bytes as base64, as in the protobuf mapping.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
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

    /// Which of these handlers and keys have a record waiting.
    pub(super) async fn held_up(&self, lanes: &[(String, String)]) -> Result<HashSet<(String, String)>, Unavailable> {
        let (handlers, keys): (Vec<String>, Vec<String>) = lanes.iter().cloned().unzip();
        let sql = "select distinct handler, key from inbox_waiting \
                   where dead_at is null and (handler, key) in (select * from unnest($1::text[], $2::text[]))";
        let rows = sqlx::query_as(sql).bind(handlers).bind(keys).fetch_all(self.database.pool()).await;
        rows.map(|rows| rows.into_iter().collect()).map_err(|error| unavailable(&error))
    }

    /// Puts a record at the end of its queue, or among the dead; one that is there already stays as it is.
    pub(super) async fn keep(
        &self,
        handler: &str,
        raw: &Raw,
        why: &str,
        dead: bool,
        pause: Duration,
    ) -> Result<(), Unavailable> {
        let (event, key) = super::name_and_key(raw);
        let sql = "insert into inbox_waiting (handler, key, event, raw, why, attempts, next_at, deadline, dead_at) \
                   values ($1, $2, $3, $4, $5, 1, now() + make_interval(secs => $6), now() + make_interval(secs => $7), \
                   case when $8 then now() end) on conflict do nothing";
        sqlx::query(sql)
            .bind(handler)
            .bind(key)
            .bind(event)
            .bind(raw.encode_to_vec())
            .bind(why.replace('\0', " "))
            .bind(pause.as_secs_f64())
            .bind(self.retries.patience.as_secs_f64())
            .bind(dead)
            .execute(self.database.pool())
            .await
            .map_err(|error| unavailable(&error))?;
        Ok(())
    }

    /// Leases the heads of the queues that are due.
    pub(super) async fn due(&self, limit: i64) -> Result<Vec<Due>, Unavailable> {
        let sql = "update inbox_waiting set next_at = now() + make_interval(secs => $2) where position in (\
                   select position from inbox_waiting head where dead_at is null and next_at <= now() \
                   and not exists (select from inbox_waiting before where before.handler = head.handler \
                   and before.key = head.key and before.position < head.position and before.dead_at is null) \
                   order by next_at limit $1 for update skip locked) \
                   returning position, handler, attempts, raw, deadline <= now() as expired";
        let rows =
            sqlx::query(sql).bind(limit).bind(self.retries.lease.as_secs_f64()).fetch_all(self.database.pool()).await;
        let due = |row: sqlx::postgres::PgRow| {
            let raw: Vec<u8> = row.try_get("raw")?;
            Ok(Due {
                position: row.try_get("position")?,
                handler: row.try_get("handler")?,
                attempts: u32::try_from(row.try_get::<i32, _>("attempts")?).unwrap_or(u32::MAX),
                raw: Raw::decode(raw.as_slice()).unwrap_or_default(),
                expired: row.try_get("expired")?,
            })
        };
        rows.and_then(|rows| rows.into_iter().map(due).collect()).map_err(|error| unavailable(&error))
    }

    pub(super) async fn done(&self, position: i64) -> Result<(), Unavailable> {
        self.one("delete from inbox_waiting where position = $1 and dead_at is null", position).await.map(|_| ())
    }

    /// Counts an attempt and says when the next one is.
    pub(super) async fn again(&self, position: i64, why: &str, pause: Duration) -> Result<(), Unavailable> {
        let sql = "update inbox_waiting set attempts = attempts + 1, why = $2, \
                   next_at = now() + make_interval(secs => $3) where position = $1 and dead_at is null";
        let asked = sqlx::query(sql).bind(position).bind(why.replace('\0', " ")).bind(pause.as_secs_f64());
        asked.execute(self.database.pool()).await.map_err(|error| unavailable(&error))?;
        Ok(())
    }

    /// Gives a lease back without counting an attempt.
    pub(super) async fn give_back(&self, position: i64) -> Result<(), Unavailable> {
        self.one("update inbox_waiting set next_at = now() + interval '1 second' where position = $1", position)
            .await
            .map(|_| ())
    }

    pub(super) async fn bury(&self, position: i64, why: &str) -> Result<(), Unavailable> {
        let sql = "update inbox_waiting set attempts = attempts + 1, why = $2, dead_at = now() where position = $1";
        let asked = sqlx::query(sql).bind(position).bind(why.replace('\0', " "));
        asked.execute(self.database.pool()).await.map_err(|error| unavailable(&error))?;
        metrics::counter!("dead_letters_total").increment(1);
        Ok(())
    }

    /// Dead letters after a position, oldest first.
    pub(crate) async fn letters(&self, after: i64, limit: i64) -> Result<Vec<Letter>, Unavailable> {
        let sql = "select * from inbox_waiting where dead_at is not null and position > $1 order by position limit $2";
        let rows = sqlx::query(sql).bind(after).bind(limit).fetch_all(self.database.pool()).await;
        let letters = rows.and_then(|rows| rows.iter().map(|row| letter(row, false)).collect());
        letters.map_err(|error| unavailable(&error))
    }

    /// One dead letter with its record.
    pub(crate) async fn letter(&self, id: i64) -> Result<Option<Letter>, Unavailable> {
        let sql = "select * from inbox_waiting where dead_at is not null and position = $1";
        let row = sqlx::query(sql).bind(id).fetch_optional(self.database.pool()).await;
        row.and_then(|row| row.map(|row| letter(&row, true)).transpose()).map_err(|error| unavailable(&error))
    }

    /// Lets a dead record wait again, with all its attempts and time before it; `false` where there is no such letter.
    pub(crate) async fn replay(&self, id: i64) -> Result<bool, Unavailable> {
        let sql = "update inbox_waiting set dead_at = null, attempts = 0, next_at = now(), \
                   deadline = now() + make_interval(secs => $2) where position = $1 and dead_at is not null";
        let asked = sqlx::query(sql).bind(id).bind(self.retries.patience.as_secs_f64());
        let done = asked.execute(self.database.pool()).await.map_err(|error| unavailable(&error))?;
        Ok(done.rows_affected() > 0)
    }

    /// Takes a dead record away for good; `false` where there is no such letter.
    pub(crate) async fn discard(&self, id: i64) -> Result<bool, Unavailable> {
        self.one("delete from inbox_waiting where position = $1 and dead_at is not null", id).await
    }

    /// How many records wait and how many are dead.
    pub(crate) async fn counts(&self) -> Result<(i64, i64), Unavailable> {
        let sql = "select count(*) filter (where dead_at is null), count(*) filter (where dead_at is not null) from inbox_waiting";
        sqlx::query_as(sql).fetch_one(self.database.pool()).await.map_err(|error| unavailable(&error))
    }

    async fn one(&self, sql: &'static str, position: i64) -> Result<bool, Unavailable> {
        let done = sqlx::query(sql).bind(position).execute(self.database.pool()).await;
        done.map(|done| done.rows_affected() > 0).map_err(|error| unavailable(&error))
    }
}

fn letter(row: &sqlx::postgres::PgRow, whole: bool) -> Result<Letter, sqlx::Error> {
    let raw = Raw::decode(row.try_get::<Vec<u8>, _>("raw")?.as_slice()).unwrap_or_default();
    let moment = |column| -> Result<Option<String>, sqlx::Error> {
        Ok(row.try_get::<Option<OffsetDateTime>, _>(column)?.and_then(|at| at.format(&Rfc3339).ok()))
    };
    Ok(Letter {
        id: row.try_get("position")?,
        handler: row.try_get("handler")?,
        key: row.try_get("key")?,
        event: row.try_get("event")?,
        kind: raw.header("ce_type").map(str::to_owned),
        why: row.try_get("why")?,
        attempts: row.try_get("attempts")?,
        first_at: moment("first_at")?,
        dead_at: moment("dead_at")?,
        record: whole.then(|| shown(raw)),
    })
}

fn shown(raw: Raw) -> Shown {
    use base64::Engine;
    let base64 = |bytes: Vec<u8>| base64::engine::general_purpose::STANDARD.encode(bytes);
    Shown {
        topic: raw.topic,
        partition: raw.partition,
        offset: raw.offset,
        timestamp: raw.timestamp,
        key: raw.key.map(base64),
        headers: raw.headers.into_iter().map(|header| (header.name, header.value.map(base64))).collect(),
        payload: raw.payload.map(base64),
    }
}
