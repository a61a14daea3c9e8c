//! Stores users, links, sessions and throttles in PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};

use mart_chassis::db::read::decode;
use mart_chassis::db::row::TableRow;
use mart_chassis::db::{EventDatabase, append_outbox, write};
use mart_chassis::{newest_first, sql};
use mart_kernel::{Cursor, StoreError, Timestamp};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use user_core::domain::{
    AddressBook, Change, Email, Link, RefreshToken, Rows, Session, Throttle, ThrottlePolicy, User, UserEvent, UserId,
};
use user_core::ports::{Scope, Store};
use uuid::Uuid;

use super::rows::{AccountRow, AddressRow, LinkRow, RefreshTokenRow, SessionRow, ThrottleRow, purpose_name};

/// Makes decisions about the same address or throttle sequential, even if it has no row yet.
const LOCK: &str = "select pg_advisory_xact_lock(hashtextextended($name, 0))";

const LINK: &str = "select link.*, account.email from link join account using (user_id) where digest = $digest";

const TOKEN_USER: &str = "select user_id from refresh_token join session using (session_id) where digest = $digest";

const TOKEN: &str = "select refresh_token.digest, refresh_token.exchanged_at, session.* \
     from refresh_token join session using (session_id) where digest = $digest for update";

/// Locks in the order of the ids, so that two decisions cannot deadlock.
const LOCK_USERS: &str =
    "select * from account where user_id = any($ids) or email = any($emails) order by user_id for update";

const FIND_BY_EMAIL: &str = "select * from account where email = $email and verified";

const FIND: &str = "select * from account where user_id = $user_id and verified";

const LIST: &str = concat!("select * from account where verified and ", newest_first!("created_at", "user_id"));

const THROTTLES: &str = "select * from throttle where subject = any($subjects)";

const DELETE_UNVERIFIED: &str = "delete from account where user_id = any($ids) and not verified";

const DELETE_LINKS: &str = "delete from link where user_id = $user_id and purpose = $purpose";

const END_SESSIONS: &str = "update session set ended_at = $at where user_id = $user_id and ended_at is null";

const ADDRESSES: &str = "select * from address where user_id = $user_id order by label";

const DELETE_ADDRESSES: &str = "delete from address where user_id = $user_id";

const DELETE_THROTTLES: &str = "delete from throttle where subject = any($subjects)";

const PURGE_LINKS: &str = "delete from link where expires_at <= $now";

/// An unverified user without a link cannot be verified any more.
const PURGE_UNVERIFIED: &str = "delete from account where not verified and created_at <= $now \
     and not exists (select from link where link.user_id = account.user_id and purpose = 'verify')";

const PURGE_SESSIONS: &str = "delete from session where expires_at <= $now";

const PURGE_THROTTLES: &str = "delete from throttle where last_at <= $before";

/// Stores users in PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresStore(pub EventDatabase<UserEvent>);

impl Store for PostgresStore {
    async fn decide<T: Send + 'static>(
        &self,
        scope: Scope,
        decide: impl FnOnce(Rows) -> (Change, T) + Send + 'static,
    ) -> Result<T, StoreError> {
        let record = self.0.record();
        let decided = self.0.transact(move |connection| {
            Box::pin(async move {
                let (change, outcome) = decide(lock(connection, scope).await?);
                append_outbox(connection, None, change.events.iter().map(record).collect()).await?;
                store(connection, change).await?;
                Ok(Some(outcome))
            })
        });
        decided.await?.ok_or(StoreError::Internal)
    }

    async fn find_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        Ok(self.0.fetch::<AccountRow, _>(sql!(FIND_BY_EMAIL, email = email.as_str())).await?.pop())
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.0.fetch::<AccountRow, _>(sql!(FIND, user_id = id.0)).await?.pop())
    }

    async fn list(&self, after: Option<Cursor>, limit: usize) -> Result<Vec<User>, StoreError> {
        let query = |limit: i64| sql!(LIST, page(after, limit));
        self.0.list(limit, query, decode::<AccountRow, _>).await
    }

    async fn find_addresses(&self, id: UserId) -> Result<AddressBook, StoreError> {
        let addresses = self.0.fetch::<AddressRow, _>(sql!(ADDRESSES, user_id = id.0)).await?;
        Ok(AddressBook(addresses.into_iter().collect()))
    }

    async fn find_throttles(&self, subjects: &[String]) -> Result<Vec<Throttle>, StoreError> {
        self.0.fetch::<ThrottleRow, _>(sql!(THROTTLES, subjects = subjects)).await
    }

    async fn purge_expired(&self, now: Timestamp, policy: &ThrottlePolicy) -> Result<usize, StoreError> {
        let (now, before) = (now.get(), now.get() - policy.reset_after);
        let purged = self.0.transact(move |connection| {
            Box::pin(async move {
                let queries = [
                    sql!(PURGE_LINKS, now = now),
                    sql!(PURGE_UNVERIFIED, now = now),
                    sql!(PURGE_SESSIONS, now = now),
                    sql!(PURGE_THROTTLES, before = before),
                ];
                let mut count = 0;
                for query in queries {
                    count += query.execute(&mut *connection).await?.rows_affected();
                }
                Ok(Some(usize::try_from(count).unwrap_or(usize::MAX)))
            })
        });
        purged.await?.ok_or(StoreError::Internal)
    }
}

async fn lock(connection: &mut PgConnection, scope: Scope) -> Result<Rows, sqlx::Error> {
    let Scope { email, users, link: presented, token, throttle, addresses_of } = scope;
    let mut emails: Vec<String> = email.iter().map(|email| email.as_str().to_owned()).collect();
    let mut found_link = None;
    if let Some(digest) = presented {
        let row = sql!(LINK, digest = &digest.0[..]).fetch_optional(&mut *connection).await?;
        emails.extend(row.as_ref().map(|row| row.try_get("email")).transpose()?);
    }
    let locks: BTreeSet<String> =
        throttle.iter().cloned().chain(emails.iter().map(|email| format!("email {email}"))).collect();
    for name in locks {
        sql!(LOCK, name = name).execute(&mut *connection).await?;
    }
    if let Some(digest) = presented {
        // Read again under the lock of its address: a concurrent decision may have changed or deleted it.
        let row = sql!(LINK, digest = &digest.0[..]).fetch_optional(&mut *connection).await?;
        found_link = row.as_ref().map(decode::<LinkRow, Link>).transpose()?;
    }
    // Lock users before their sessions, in the same order as decisions that end all sessions of a user.
    let mut token_user: Option<Uuid> = None;
    if let Some(digest) = token {
        let row = sql!(TOKEN_USER, digest = &digest.0[..]).fetch_optional(&mut *connection).await?;
        token_user = row.map(|row| row.try_get("user_id")).transpose()?;
    }
    let mut ids: Vec<Uuid> = users.into_iter().chain(addresses_of).map(|user| user.0).collect();
    ids.extend(token_user);
    let rows = sql!(LOCK_USERS, ids = ids, emails = emails).fetch_all(&mut *connection).await?;
    let users = rows.iter().map(decode::<AccountRow, User>).collect::<Result<_, _>>()?;
    let mut found_token = None;
    if let Some(digest) = token {
        let row = sql!(TOKEN, digest = &digest.0[..]).fetch_optional(&mut *connection).await?;
        found_token = row.as_ref().map(read_token).transpose()?;
    }
    let rows = sql!(THROTTLES, subjects = throttle).fetch_all(&mut *connection).await?;
    let throttle = rows.iter().map(decode::<ThrottleRow, Throttle>).collect::<Result<_, _>>()?;
    let mut addresses = AddressBook::default();
    if let Some(user) = addresses_of {
        let rows = sql!(ADDRESSES, user_id = user.0).fetch_all(&mut *connection).await?;
        addresses.0 = rows.iter().map(decode::<AddressRow, _>).collect::<Result<_, _>>()?;
    }
    Ok(Rows { users, link: found_link, token: found_token, throttle, addresses })
}

async fn store(connection: &mut PgConnection, change: Change) -> Result<(), sqlx::Error> {
    let Change { users, dropped, links, spent, sessions, tokens, ended, throttle, addresses, events: _ } = change;
    if !dropped.is_empty() {
        let ids: Vec<Uuid> = dropped.iter().map(|user| user.0).collect();
        sql!(DELETE_UNVERIFIED, ids = ids).execute(&mut *connection).await?;
    }
    write::upsert(users.into_iter().map(AccountRow::from)).execute(&mut *connection).await?;
    for (user, purpose) in spent {
        sql!(DELETE_LINKS, user_id = user.0, purpose = purpose_name(purpose)).execute(&mut *connection).await?;
    }
    write::insert(links.into_iter().map(LinkRow::from)).execute(&mut *connection).await?;
    for (user, at) in ended {
        sql!(END_SESSIONS, user_id = user.0, at = at.get()).execute(&mut *connection).await?;
    }
    write::upsert(sessions.into_iter().map(SessionRow::from)).execute(&mut *connection).await?;
    write::upsert(tokens.into_iter().map(RefreshTokenRow::from)).execute(&mut *connection).await?;
    // The last one of a subject counts.
    let throttle: BTreeMap<String, Throttle> = throttle.into_iter().map(|each| (each.subject.clone(), each)).collect();
    let (reset, counted): (Vec<Throttle>, Vec<Throttle>) = throttle.into_values().partition(|each| each.count == 0);
    let reset: Vec<String> = reset.into_iter().map(|throttle| throttle.subject).collect();
    if !reset.is_empty() {
        sql!(DELETE_THROTTLES, subjects = reset).execute(&mut *connection).await?;
    }
    write::upsert(counted.into_iter().map(ThrottleRow::from)).execute(&mut *connection).await?;
    if let Some((user, book)) = addresses {
        sql!(DELETE_ADDRESSES, user_id = user.0).execute(&mut *connection).await?;
        write::insert(AddressRow::all(user, book)).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Reads a refresh token with its session.
fn read_token(row: &PgRow) -> Result<(RefreshToken, Session), sqlx::Error> {
    Ok((decode::<RefreshTokenRow, _>(row)?, SessionRow::read(row)?.into()))
}
