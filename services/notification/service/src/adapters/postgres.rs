//! Notifications, contacts and preferences in PostgreSQL.

use mart_chassis::Database;
use mart_chassis::db::append_outbox;
use mart_chassis::db::read::{decode_error, time, version};
use mart_kernel::{Cursor, Receipt, StoreError, Timestamp};
use notification_core::domain::{
    Change, Channel, Contact, CustomerId, Kind, Locale, Notification, NotificationId, OrderId, Preferences,
    RenderedMessage, Status, StatusKind, Subject,
};
use notification_core::ports::{About, Filter, Known, Store};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

const CONTACT: &str = "select * from contact where order_id = $1";

const PREFERENCES: &str = "select kind, channel, enabled from preference where customer_id = $1";

const KEEP_CONTACT: &str = "insert into contact (order_id, version, customer_id, name, email, phone, locale) \
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (order_id) do update set version = $2, customer_id = $3, name = $4, \
     email = $5, phone = $6, locale = $7 where contact.version <= $2";

const KEEP: &str = "insert into notification (notification_id, subject, kind, channel, order_id, recipient, locale, status, \
     attempts, due_at, failure, reference, title, body, html, until, created_at, updated_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
     on conflict (subject, kind, channel) do nothing";

/// Rows that another replica is claiming are passed by: it sends them.
const CLAIM: &str = "with due as (select notification_id from notification where status = 'pending' and channel = $1 \
     and due_at <= $2 order by due_at, notification_id limit $4 for update skip locked) \
     update notification set attempts = attempts + 1, due_at = $3 from due \
     where notification.notification_id = due.notification_id returning notification.*";

const CHANGE: &str = "update notification set status = $4, due_at = $5, failure = $6, reference = $7, title = $8, body = $9, \
     html = $10, until = $11, updated_at = $12 where notification_id = $1 and status = $2 and attempts = $3";

const FIND: &str = "select * from notification where notification_id = $1";

const LIST: &str = "select * from notification \
     where (created_at, notification_id) < (coalesce($1, 'infinity'::timestamptz), \
     coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)) \
     and ($3::uuid is null or order_id = $3) and ($4::text is null or recipient = $4) and ($5::text is null or status = $5) \
     order by created_at desc, notification_id desc limit $6";

const PREFER: &str = "insert into preference (customer_id, kind, channel, enabled) values ($1, $2, $3, $4) \
     on conflict (customer_id, kind, channel) do update set enabled = $4";

/// Keeps what was decided.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    database: Database,
}

impl PostgresStore {
    /// Keeps it in this database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl Store for PostgresStore {
    async fn decide(
        &self,
        about: About,
        receipt: Receipt,
        decide: impl FnOnce(Known) -> Change + Send + 'static,
    ) -> Result<(), StoreError> {
        let decided = self.database.transact(move |connection| {
            Box::pin(async move {
                let change = decide(known(connection, about).await?);
                // This service tells others nothing.
                if !append_outbox(connection, Some(&receipt), Vec::new()).await? {
                    return Ok(None);
                }
                keep(connection, change).await?;
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
        let asked = sqlx::query(CLAIM).bind(channel.name()).bind(now.get()).bind(lease.get()).bind(most(limit));
        // One that can't be read holds up no other.
        let (mut claimed, _) = self.database.readable(asked, notification).await?;
        // An update gives its rows in no order.
        claimed.sort_by_key(|claimed| claimed.id);
        Ok(claimed)
    }

    async fn change(&self, seen: StatusKind, changed: &Notification) -> Result<bool, StoreError> {
        let Columns { due_at, failure, reference, title, body, html } = columns(changed);
        let change = sqlx::query(CHANGE)
            .bind(changed.id.0)
            .bind(seen.name())
            .bind(i32::try_from(changed.attempts).unwrap_or(i32::MAX))
            .bind(changed.status.name().name())
            .bind(due_at.map(Timestamp::get))
            .bind(failure)
            .bind(reference)
            .bind(title)
            .bind(body)
            .bind(html)
            .bind(changed.until.get())
            .bind(changed.updated_at.get());
        self.database.execute(change).await
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
        let asked = |limit: i64| {
            sqlx::query(LIST)
                .bind(after.map(|after| after.at.get()))
                .bind(after.map(|after| after.id))
                .bind(filter.order.map(|order| order.0))
                .bind(&filter.recipient)
                .bind(filter.status.map(StatusKind::name))
                .bind(limit)
        };
        self.database.list(limit, asked, notification).await
    }

    async fn preferences(&self, customer: &CustomerId) -> Result<Preferences, StoreError> {
        let said = self.database.fetch_all(sqlx::query(PREFERENCES).bind(&customer.0), preference).await?;
        Ok(Preferences(said.into_iter().collect()))
    }

    async fn prefer(
        &self,
        customer: &CustomerId,
        kind: Kind,
        channel: Channel,
        enabled: bool,
    ) -> Result<(), StoreError> {
        let kept = sqlx::query(PREFER).bind(&customer.0).bind(kind.name()).bind(channel.name()).bind(enabled);
        self.database.execute(kept).await.map(|_| ())
    }
}

async fn known(connection: &mut PgConnection, about: About) -> Result<Known, sqlx::Error> {
    let found = match about.order {
        Some(order) => sqlx::query(CONTACT).bind(order.0).fetch_optional(&mut *connection).await?,
        None => None,
    };
    let contact = found.as_ref().map(contact).transpose()?;
    let customer = about.customer.or_else(|| contact.as_ref().map(|contact| contact.customer.clone()));
    let said = match customer {
        Some(customer) => sqlx::query(PREFERENCES).bind(customer.0).fetch_all(connection).await?,
        None => Vec::new(),
    };
    let said: Result<_, sqlx::Error> = said.iter().map(preference).collect();
    Ok(Known { contact, preferences: Preferences(said?) })
}

async fn keep(connection: &mut PgConnection, change: Change) -> Result<(), sqlx::Error> {
    let Change { contact, notifications } = change;
    if let Some(Contact { order, version, customer, name, email, phone, locale }) = contact {
        let kept = sqlx::query(KEEP_CONTACT).bind(order.0).bind(version.get()).bind(customer.0).bind(name);
        kept.bind(email).bind(phone).bind(locale.tag()).execute(&mut *connection).await?;
    }
    for made in notifications {
        let Columns { due_at, failure, reference, title, body, html } = columns(&made);
        sqlx::query(KEEP)
            .bind(made.id.0)
            .bind(&made.subject.0)
            .bind(made.kind.name())
            .bind(made.channel.name())
            .bind(made.order.map(|order| order.0))
            .bind(&made.recipient)
            .bind(made.locale.tag())
            .bind(made.status.name().name())
            .bind(i32::try_from(made.attempts).unwrap_or(i32::MAX))
            .bind(due_at.map(Timestamp::get))
            .bind(failure)
            .bind(reference)
            .bind(title)
            .bind(body)
            .bind(html)
            .bind(made.until.get())
            .bind(made.created_at.get())
            .bind(made.updated_at.get())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// What a status and a letter are in columns.
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
        Status::Failed { why } => (None, why.as_str(), ""),
        Status::Suppressed => (None, "", ""),
    };
    let letter = notification.letter.as_ref();
    let part = |part: fn(&RenderedMessage) -> &str| letter.map(part);
    let (title, body, html) = (part(|letter| &letter.title), part(|letter| &letter.text), part(|letter| &letter.html));
    Columns { due_at, failure, reference, title, body, html }
}

fn kind(row: &PgRow) -> Result<Kind, sqlx::Error> {
    let name: &str = row.try_get("kind")?;
    Kind::named(name).ok_or_else(|| decode_error(format!("no kind of notification: {name}")))
}

fn channel(row: &PgRow) -> Result<Channel, sqlx::Error> {
    let name: &str = row.try_get("channel")?;
    Channel::named(name).ok_or_else(|| decode_error(format!("no channel: {name}")))
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
        "failed" => Status::Failed { why: failure },
        "suppressed" => Status::Suppressed,
        other => return Err(decode_error(format!("no status of a notification: {other}"))),
    };
    let letter = match (row.try_get("title")?, row.try_get("body")?, row.try_get("html")?) {
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
        letter,
        until: time(row, "until")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}
