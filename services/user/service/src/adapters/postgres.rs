//! Stores users, links, sessions and throttles in PostgreSQL.

use std::collections::BTreeSet;

use mart_chassis::db::append_outbox;
use mart_chassis::db::read::{decode_error, time, version};
use mart_chassis::{Database, Record};
use mart_kernel::{Cursor, EventEnvelope, StoreError, Timestamp};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use user_core::domain::{
    Address, AddressBook, Change, Digest, Email, Link, PasswordHash, Profile, Purpose, RefreshToken, Role, Rows,
    Session, SessionId, Throttle, ThrottlePolicy, User, UserEvent, UserId,
};
use user_core::ports::{Scope, Store};
use uuid::Uuid;

/// Makes decisions about the same address or throttle sequential, even if it has no row yet.
const LOCK: &str = "select pg_advisory_xact_lock(hashtextextended($1, 0))";

const LINK: &str = "select link.*, account.email from link join account using (user_id) where digest = $1";

const TOKEN_USER: &str = "select user_id from refresh_token join session using (session_id) where digest = $1";

const TOKEN: &str = "select digest, exchanged_at, session_id, user_id, expires_at, ended_at \
     from refresh_token join session using (session_id) where digest = $1 for update";

/// Locks in the order of the ids, so that two decisions cannot deadlock.
const LOCK_USERS: &str = "select * from account where user_id = any($1) or email = any($2) order by user_id for update";

const FIND_VERIFIED: &str = "select * from account where email = $1 and verified";

const FIND: &str = "select * from account where user_id = $1 and verified";

const LIST: &str = "select * from account where verified \
     and (created_at, user_id) < (coalesce($1, 'infinity'::timestamptz), \
     coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)) order by created_at desc, user_id desc limit $3";

const THROTTLES: &str = "select * from throttle where subject = any($1)";

const UPSERT_USER: &str = "insert into account (user_id, version, email, role, password, name, locale, time_zone, phone, verified, \
     disabled, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
     on conflict (user_id) do update set version = $2, password = $5, name = $6, locale = $7, time_zone = $8, phone = $9, \
     verified = $10, disabled = $11, updated_at = $13";

const DELETE_UNVERIFIED: &str = "delete from account where user_id = any($1) and not verified";

const DELETE_LINKS: &str = "delete from link where user_id = $1 and purpose = $2";

const INSERT_LINK: &str = "insert into link (digest, purpose, user_id, expires_at) values ($1, $2, $3, $4)";

const END_SESSIONS: &str = "update session set ended_at = $2 where user_id = $1 and ended_at is null";

const UPSERT_SESSION: &str = "insert into session (session_id, user_id, expires_at, ended_at) values ($1, $2, $3, $4) \
     on conflict (session_id) do update set ended_at = $4";

const UPSERT_TOKEN: &str = "insert into refresh_token (digest, session_id, exchanged_at) values ($1, $2, $3) \
     on conflict (digest) do update set exchanged_at = $3";

const UPSERT_THROTTLE: &str = "insert into throttle (subject, count, last_at) values ($1, $2, $3) \
     on conflict (subject) do update set count = $2, last_at = $3";

const ADDRESSES: &str = "select * from address where user_id = $1 order by label";

const DELETE_ADDRESSES: &str = "delete from address where user_id = $1";

const INSERT_ADDRESS: &str = "insert into address (user_id, label, recipient, lines, city, postal_code, country_code) \
     values ($1, $2, $3, $4, $5, $6, $7)";

const DELETE_THROTTLE: &str = "delete from throttle where subject = $1";

/// Deletes links first: an unverified user without a link cannot be verified any more.
const PURGE: [&str; 3] = [
    "delete from link where expires_at <= $1",
    "delete from account where not verified and created_at <= $1 \
     and not exists (select from link where link.user_id = account.user_id and purpose = 'verify')",
    "delete from session where expires_at <= $1",
];

const PURGE_THROTTLES: &str = "delete from throttle where last_at <= $1";

/// Stores decisions. `record` builds the outbox record of an event.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    database: Database,
    record: fn(&EventEnvelope<UserEvent>) -> Record,
}

impl PostgresStore {
    /// Creates a store in this database.
    pub fn new(database: Database, record: fn(&EventEnvelope<UserEvent>) -> Record) -> Self {
        Self { database, record }
    }
}

impl Store for PostgresStore {
    async fn decide<T: Send + 'static>(
        &self,
        scope: Scope,
        decide: impl FnOnce(Rows) -> (Change, T) + Send + 'static,
    ) -> Result<T, StoreError> {
        let record = self.record;
        let decided = self.database.transact(move |connection| {
            Box::pin(async move {
                let (change, outcome) = decide(lock(connection, scope).await?);
                append_outbox(connection, None, change.events.iter().map(record).collect()).await?;
                write(connection, change).await?;
                Ok(Some(outcome))
            })
        });
        decided.await?.ok_or(StoreError::Internal)
    }

    async fn verified(&self, email: &Email) -> Result<Option<User>, StoreError> {
        Ok(self.database.fetch_all(sqlx::query(FIND_VERIFIED).bind(email.as_str()), user).await?.pop())
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.database.fetch_all(sqlx::query(FIND).bind(id.0), user).await?.pop())
    }

    async fn list(&self, after: Option<Cursor>, limit: usize) -> Result<Vec<User>, StoreError> {
        let query = |limit: i64| {
            sqlx::query(LIST).bind(after.map(|after| after.at.get())).bind(after.map(|after| after.id)).bind(limit)
        };
        self.database.list(limit, query, user).await
    }

    async fn addresses(&self, id: UserId) -> Result<AddressBook, StoreError> {
        let addresses = self.database.fetch_all(sqlx::query(ADDRESSES).bind(id.0), read_address).await?;
        Ok(AddressBook(addresses.into_iter().collect()))
    }

    async fn throttle(&self, subjects: &[String]) -> Result<Vec<Throttle>, StoreError> {
        self.database.fetch_all(sqlx::query(THROTTLES).bind(subjects), read_throttle).await
    }

    async fn purge_expired(&self, now: Timestamp, policy: &ThrottlePolicy) -> Result<usize, StoreError> {
        let long_ago = now.get() - policy.reset_after;
        let purged = self.database.transact(move |connection| {
            Box::pin(async move {
                let mut count = 0;
                for sql in PURGE {
                    count += sqlx::query(sql).bind(now.get()).execute(&mut *connection).await?.rows_affected();
                }
                let deleted = sqlx::query(PURGE_THROTTLES).bind(long_ago).execute(&mut *connection).await?;
                count += deleted.rows_affected();
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
        let row = sqlx::query(LINK).bind(&digest.0[..]).fetch_optional(&mut *connection).await?;
        emails.extend(row.as_ref().map(|row| row.try_get("email")).transpose()?);
    }
    let locks: BTreeSet<String> =
        throttle.iter().cloned().chain(emails.iter().map(|email| format!("email {email}"))).collect();
    for name in locks {
        sqlx::query(LOCK).bind(name).execute(&mut *connection).await?;
    }
    if let Some(digest) = presented {
        // Read again under the lock of its address: a concurrent decision may have changed or deleted it.
        let row = sqlx::query(LINK).bind(&digest.0[..]).fetch_optional(&mut *connection).await?;
        found_link = row.as_ref().map(link).transpose()?;
    }
    // Lock users before their sessions, in the same order as decisions that end all sessions of a user.
    let mut token_user: Option<Uuid> = None;
    if let Some(digest) = token {
        token_user = sqlx::query_scalar(TOKEN_USER).bind(&digest.0[..]).fetch_optional(&mut *connection).await?;
    }
    let mut ids: Vec<Uuid> = users.into_iter().chain(addresses_of).map(|user| user.0).collect();
    ids.extend(token_user);
    let rows = sqlx::query(LOCK_USERS).bind(ids).bind(emails).fetch_all(&mut *connection).await?;
    let users = rows.iter().map(user).collect::<Result<_, _>>()?;
    let mut found_token = None;
    if let Some(digest) = token {
        let row = sqlx::query(TOKEN).bind(&digest.0[..]).fetch_optional(&mut *connection).await?;
        found_token = row.as_ref().map(read_token).transpose()?;
    }
    let rows = sqlx::query(THROTTLES).bind(throttle).fetch_all(&mut *connection).await?;
    let throttle = rows.iter().map(read_throttle).collect::<Result<_, _>>()?;
    let mut addresses = AddressBook::default();
    if let Some(user) = addresses_of {
        let rows = sqlx::query(ADDRESSES).bind(user.0).fetch_all(&mut *connection).await?;
        addresses.0 = rows.iter().map(read_address).collect::<Result<_, _>>()?;
    }
    Ok(Rows { users, link: found_link, token: found_token, throttle, addresses })
}

async fn write(connection: &mut PgConnection, change: Change) -> Result<(), sqlx::Error> {
    let Change { users, dropped, links, spent, sessions, tokens, ended, throttle, addresses, events: _ } = change;
    if !dropped.is_empty() {
        let ids: Vec<Uuid> = dropped.iter().map(|user| user.0).collect();
        sqlx::query(DELETE_UNVERIFIED).bind(ids).execute(&mut *connection).await?;
    }
    for user in users {
        write_user(connection, user).await?;
    }
    for (user, purpose) in spent {
        sqlx::query(DELETE_LINKS).bind(user.0).bind(purpose_name(purpose)).execute(&mut *connection).await?;
    }
    for Link { digest, purpose, user, expires_at } in links {
        let query = sqlx::query(INSERT_LINK).bind(&digest.0[..]).bind(purpose_name(purpose)).bind(user.0);
        query.bind(expires_at.get()).execute(&mut *connection).await?;
    }
    for (user, at) in ended {
        sqlx::query(END_SESSIONS).bind(user.0).bind(at.get()).execute(&mut *connection).await?;
    }
    for Session { id, user, expires_at, ended_at } in sessions {
        let query = sqlx::query(UPSERT_SESSION).bind(id.0).bind(user.0).bind(expires_at.get());
        query.bind(ended_at.map(Timestamp::get)).execute(&mut *connection).await?;
    }
    for RefreshToken { digest, session, exchanged_at } in tokens {
        let query =
            sqlx::query(UPSERT_TOKEN).bind(&digest.0[..]).bind(session.0).bind(exchanged_at.map(Timestamp::get));
        query.execute(&mut *connection).await?;
    }
    for Throttle { subject, count, last_at } in throttle {
        let query = if count == 0 {
            sqlx::query(DELETE_THROTTLE).bind(subject)
        } else {
            sqlx::query(UPSERT_THROTTLE).bind(subject).bind(count).bind(last_at.get())
        };
        query.execute(&mut *connection).await?;
    }
    if let Some((user, book)) = addresses {
        sqlx::query(DELETE_ADDRESSES).bind(user.0).execute(&mut *connection).await?;
        for (label, Address { recipient, lines, city, postal_code, country_code }) in book.0 {
            let query = sqlx::query(INSERT_ADDRESS).bind(user.0).bind(label).bind(recipient).bind(lines).bind(city);
            query.bind(postal_code).bind(country_code).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

async fn write_user(connection: &mut PgConnection, user: User) -> Result<(), sqlx::Error> {
    let User { id, version, email, role, password, profile, verified, disabled, created_at, updated_at } = user;
    let Profile { name, locale, time_zone, phone } = profile;
    sqlx::query(UPSERT_USER)
        .bind(id.0)
        .bind(version.get())
        .bind(email.as_str())
        .bind(match role {
            Role::Customer => "customer",
            Role::Admin => "admin",
        })
        .bind(password.0)
        .bind(name)
        .bind(locale)
        .bind(time_zone)
        .bind(phone)
        .bind(verified)
        .bind(disabled)
        .bind(created_at.get())
        .bind(updated_at.get())
        .execute(connection)
        .await?;
    Ok(())
}

fn purpose_name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Verify => "verify",
        Purpose::Reset => "reset",
    }
}

fn digest(row: &PgRow) -> Result<Digest, sqlx::Error> {
    let bytes: Vec<u8> = row.try_get("digest")?;
    bytes.try_into().map(Digest).map_err(|_| decode_error("a digest has 32 bytes"))
}

fn link(row: &PgRow) -> Result<Link, sqlx::Error> {
    let purpose = match row.try_get("purpose")? {
        "verify" => Purpose::Verify,
        "reset" => Purpose::Reset,
        other => return Err(decode_error(format!("unknown purpose of a link: {other}"))),
    };
    let (user, expires_at) = (UserId(row.try_get("user_id")?), time(row, "expires_at")?);
    Ok(Link { digest: digest(row)?, purpose, user, expires_at })
}

fn read_token(row: &PgRow) -> Result<(RefreshToken, Session), sqlx::Error> {
    let at = |name: &str| row.try_get::<Option<OffsetDateTime>, _>(name).map(|at| at.map(Timestamp::new));
    let session = SessionId(row.try_get("session_id")?);
    let token = RefreshToken { digest: digest(row)?, session, exchanged_at: at("exchanged_at")? };
    let (user, expires_at) = (UserId(row.try_get("user_id")?), time(row, "expires_at")?);
    Ok((token, Session { id: session, user, expires_at, ended_at: at("ended_at")? }))
}

fn read_throttle(row: &PgRow) -> Result<Throttle, sqlx::Error> {
    let (subject, count) = (row.try_get("subject")?, row.try_get("count")?);
    Ok(Throttle { subject, count, last_at: time(row, "last_at")? })
}

fn read_address(row: &PgRow) -> Result<(String, Address), sqlx::Error> {
    let address = Address {
        recipient: row.try_get("recipient")?,
        lines: row.try_get("lines")?,
        city: row.try_get("city")?,
        postal_code: row.try_get("postal_code")?,
        country_code: row.try_get("country_code")?,
    };
    Ok((row.try_get("label")?, address))
}

fn user(row: &PgRow) -> Result<User, sqlx::Error> {
    let role = match row.try_get("role")? {
        "customer" => Role::Customer,
        "admin" => Role::Admin,
        other => return Err(decode_error(format!("unknown role: {other}"))),
    };
    let profile = Profile {
        name: row.try_get("name")?,
        locale: row.try_get("locale")?,
        time_zone: row.try_get("time_zone")?,
        phone: row.try_get("phone")?,
    };
    Ok(User {
        id: UserId(row.try_get("user_id")?),
        version: version(row, "version")?,
        email: Email::of(row.try_get("email")?),
        role,
        password: PasswordHash(row.try_get("password")?),
        profile,
        verified: row.try_get("verified")?,
        disabled: row.try_get("disabled")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}
