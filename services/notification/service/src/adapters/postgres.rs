//! The store in PostgreSQL.

use mart_chassis::Database;
use mart_chassis::db::append_outbox;
use mart_chassis::db::read::{decode_error, time, version};
use mart_kernel::{Cursor, Receipt, StoreError, Timestamp};
use notification_core::domain::{
    Change, Channel, Contact, CustomerId, Kind, Locale, Notification, NotificationId, OrderId, Preferences,
    RenderedMessage, Status, StatusKind, Subject,
};
use notification_core::ports::{DecisionData, DecisionKeys, Filter, Store};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

const CONTACT: &str = "select * from contact where order_id = $1";

const PREFERENCES: &str = "select kind, channel, enabled from preference where customer_id = $1";

const UPSERT_CONTACT: &str = "insert into contact (order_id, version, customer_id, name, email, phone, locale) \
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (order_id) do update set version = $2, customer_id = $3, name = $4, \
     email = $5, phone = $6, locale = $7 where contact.version <= $2";

const INSERT: &str = "insert into notification (notification_id, subject, kind, channel, order_id, recipient, locale, status, \
     attempts, due_at, failure, reference, title, body, html, until, created_at, updated_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
     on conflict (subject, kind, channel) do nothing";

/// Skips rows that another replica is claiming.
const CLAIM: &str = "with due as (select notification_id from notification where status = 'pending' and channel = $1 \
     and due_at <= $2 order by due_at, notification_id limit $4 for update skip locked) \
     update notification set attempts = attempts + 1, due_at = $3 from due \
     where notification.notification_id = due.notification_id returning notification.*";

const UPDATE: &str = "update notification set status = $4, due_at = $5, failure = $6, reference = $7, title = $8, body = $9, \
     html = $10, until = $11, updated_at = $12 where notification_id = $1 and status = $2 and attempts = $3";

const FIND: &str = "select * from notification where notification_id = $1";

const LIST: &str = "select * from notification \
     where (created_at, notification_id) < (coalesce($1, 'infinity'::timestamptz), \
     coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)) \
     and ($3::uuid is null or order_id = $3) and ($4::text is null or recipient = $4) and ($5::text is null or status = $5) \
     order by created_at desc, notification_id desc limit $6";

const UPSERT_PREFERENCE: &str = "insert into preference (customer_id, kind, channel, enabled) values ($1, $2, $3, $4) \
     on conflict (customer_id, kind, channel) do update set enabled = $4";

/// The store in PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    database: Database,
}

impl PostgresStore {
    /// Creates the store over this database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

fn to_i64(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl Store for PostgresStore {
    async fn decide(
        &self,
        keys: DecisionKeys,
        receipt: Receipt,
        decide: impl FnOnce(DecisionData) -> Change + Send + 'static,
    ) -> Result<(), StoreError> {
        let decided = self.database.transact(move |connection| {
            Box::pin(async move {
                let change = decide(decision_data(connection, keys).await?);
                // This service publishes no events.
                if !append_outbox(connection, Some(&receipt), Vec::new()).await? {
                    return Ok(None);
                }
                apply(connection, change).await?;
                Ok(Some(()))
            })
        });
        decided.await.map(|_| ())
    }

    async fn contact(&self, order: OrderId) -> Result<Option<Contact>, StoreError> {
        Ok(self.database.fetch_all(sqlx::query(CONTACT).bind(order.0), contact).await?.pop())
    }

    async fn claim(
        &self,
        channel: Channel,
        now: Timestamp,
        lease: Timestamp,
        limit: usize,
    ) -> Result<Vec<Notification>, StoreError> {
        let query = sqlx::query(CLAIM).bind(channel.name()).bind(now.get()).bind(lease.get()).bind(to_i64(limit));
        // A row that cannot be decoded does not block the others.
        let (mut claimed, _) = self.database.readable(query, notification).await?;
        // An update returns its rows in no particular order.
        claimed.sort_by_key(|claimed| claimed.id);
        Ok(claimed)
    }

    async fn update(&self, expected: StatusKind, updated: &Notification) -> Result<bool, StoreError> {
        let Columns { due_at, failure, reference, title, body, html } = columns(updated);
        let update = sqlx::query(UPDATE)
            .bind(updated.id.0)
            .bind(expected.name())
            .bind(i32::try_from(updated.attempts).unwrap_or(i32::MAX))
            .bind(updated.status.kind().name())
            .bind(due_at.map(Timestamp::get))
            .bind(failure)
            .bind(reference)
            .bind(title)
            .bind(body)
            .bind(html)
            .bind(updated.until.get())
            .bind(updated.updated_at.get());
        self.database.execute(update).await
    }

    async fn find(&self, id: NotificationId) -> Result<Option<Notification>, StoreError> {
        Ok(self.database.fetch_all(sqlx::query(FIND).bind(id.0), notification).await?.pop())
    }

    async fn list(
        &self,
        filter: &Filter,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Notification>, StoreError> {
        let query = |limit: i64| {
            sqlx::query(LIST)
                .bind(after.map(|after| after.at.get()))
                .bind(after.map(|after| after.id))
                .bind(filter.order.map(|order| order.0))
                .bind(&filter.recipient)
                .bind(filter.status.map(StatusKind::name))
                .bind(limit)
        };
        self.database.list(limit, query, notification).await
    }

    async fn preferences(&self, customer: &CustomerId) -> Result<Preferences, StoreError> {
        let stored = self.database.fetch_all(sqlx::query(PREFERENCES).bind(&customer.0), preference).await?;
        Ok(Preferences(stored.into_iter().collect()))
    }

    async fn set_preference(
        &self,
        customer: &CustomerId,
        kind: Kind,
        channel: Channel,
        enabled: bool,
    ) -> Result<(), StoreError> {
        let upsert = sqlx::query(UPSERT_PREFERENCE).bind(&customer.0).bind(kind.name()).bind(channel.name());
        self.database.execute(upsert.bind(enabled)).await.map(|_| ())
    }
}

async fn decision_data(connection: &mut PgConnection, keys: DecisionKeys) -> Result<DecisionData, sqlx::Error> {
    let row = match keys.order {
        Some(order) => sqlx::query(CONTACT).bind(order.0).fetch_optional(&mut *connection).await?,
        None => None,
    };
    let contact = row.as_ref().map(contact).transpose()?;
    let customer = keys.customer.or_else(|| contact.as_ref().map(|contact| contact.customer.clone()));
    let rows = match customer {
        Some(customer) => sqlx::query(PREFERENCES).bind(customer.0).fetch_all(connection).await?,
        None => Vec::new(),
    };
    let preferences: Result<_, sqlx::Error> = rows.iter().map(preference).collect();
    Ok(DecisionData { contact, preferences: Preferences(preferences?) })
}

async fn apply(connection: &mut PgConnection, change: Change) -> Result<(), sqlx::Error> {
    let Change { contact, notifications } = change;
    if let Some(Contact { order, version, customer, name, email, phone, locale }) = contact {
        let upsert = sqlx::query(UPSERT_CONTACT).bind(order.0).bind(version.get()).bind(customer.0).bind(name);
        upsert.bind(email).bind(phone).bind(locale.tag()).execute(&mut *connection).await?;
    }
    for new in notifications {
        let Columns { due_at, failure, reference, title, body, html } = columns(&new);
        sqlx::query(INSERT)
            .bind(new.id.0)
            .bind(&new.subject.0)
            .bind(new.kind.name())
            .bind(new.channel.name())
            .bind(new.order.map(|order| order.0))
            .bind(&new.recipient)
            .bind(new.locale.tag())
            .bind(new.status.kind().name())
            .bind(i32::try_from(new.attempts).unwrap_or(i32::MAX))
            .bind(due_at.map(Timestamp::get))
            .bind(failure)
            .bind(reference)
            .bind(title)
            .bind(body)
            .bind(html)
            .bind(new.until.get())
            .bind(new.created_at.get())
            .bind(new.updated_at.get())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// The columns of a status and a message.
struct Columns<'a> {
    due_at: Option<Timestamp>,
    failure: &'a str,
    reference: &'a str,
    title: Option<&'a str>,
    body: Option<&'a str>,
    html: Option<&'a str>,
}

fn columns(notification: &Notification) -> Columns<'_> {
    let (due_at, failure, reference) = match &notification.status {
        Status::Pending { due, failure } => (Some(*due), failure.as_str(), ""),
        Status::Sent { reference } => (None, "", reference.as_str()),
        Status::Failed { reason } => (None, reason.as_str(), ""),
        Status::Suppressed => (None, "", ""),
    };
    let message = notification.message.as_ref();
    let part = |part: fn(&RenderedMessage) -> &str| message.map(part);
    let (title, body, html) =
        (part(|message| &message.title), part(|message| &message.text), part(|message| &message.html));
    Columns { due_at, failure, reference, title, body, html }
}

fn kind(row: &PgRow) -> Result<Kind, sqlx::Error> {
    let name: &str = row.try_get("kind")?;
    Kind::from_name(name).ok_or_else(|| decode_error(format!("unknown kind of notification: {name}")))
}

fn channel(row: &PgRow) -> Result<Channel, sqlx::Error> {
    let name: &str = row.try_get("channel")?;
    Channel::from_name(name).ok_or_else(|| decode_error(format!("unknown channel: {name}")))
}

fn preference(row: &PgRow) -> Result<((Kind, Channel), bool), sqlx::Error> {
    Ok(((kind(row)?, channel(row)?), row.try_get("enabled")?))
}

fn contact(row: &PgRow) -> Result<Contact, sqlx::Error> {
    Ok(Contact {
        order: OrderId(row.try_get("order_id")?),
        version: version(row, "version")?,
        customer: CustomerId(row.try_get("customer_id")?),
        name: row.try_get("name")?,
        email: row.try_get("email")?,
        phone: row.try_get("phone")?,
        locale: Locale::of(row.try_get("locale")?),
    })
}

fn notification(row: &PgRow) -> Result<Notification, sqlx::Error> {
    let failure: String = row.try_get("failure")?;
    let status = match row.try_get("status")? {
        "pending" => Status::Pending { due: time(row, "due_at")?, failure },
        "sent" => Status::Sent { reference: row.try_get("reference")? },
        "failed" => Status::Failed { reason: failure },
        "suppressed" => Status::Suppressed,
        other => return Err(decode_error(format!("unknown status of a notification: {other}"))),
    };
    let message = match (row.try_get("title")?, row.try_get("body")?, row.try_get("html")?) {
        (Some(title), Some(text), Some(html)) => Some(RenderedMessage { title, text, html }),
        _ => None,
    };
    Ok(Notification {
        id: NotificationId(row.try_get("notification_id")?),
        subject: Subject(row.try_get("subject")?),
        kind: kind(row)?,
        channel: channel(row)?,
        order: row.try_get::<Option<Uuid>, _>("order_id")?.map(OrderId),
        recipient: row.try_get("recipient")?,
        locale: Locale::of(row.try_get("locale")?),
        status,
        attempts: u32::try_from(row.try_get::<i32, _>("attempts")?).map_err(decode_error)?,
        message,
        until: time(row, "until")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}
