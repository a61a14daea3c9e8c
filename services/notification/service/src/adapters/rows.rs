//! The rows of the database, and their mappings to the values of the core.

use mart_chassis::db::read::{self, decode_error};
use mart_chassis::{relation, table_row};
use mart_kernel::Timestamp;
use notification_core::domain::{
    Channel, Contact, CustomerId, Kind, Locale, Notification, NotificationId, OrderId, RenderedMessage, Status,
    StatusKind, Subject,
};
use time::OffsetDateTime;
use uuid::Uuid;

table_row! {
    /// A row of `notification`.
    pub struct NotificationRow in notification (notification_id) {
        notification_id: Uuid,
        subject: String,
        kind: String,
        channel: String,
        order_id: Option<Uuid>,
        recipient: String,
        locale: String,
        status: String,
        attempts: i32,
        due_at: Option<OffsetDateTime>,
        failure: String,
        reference: String,
        title: Option<String>,
        body: Option<String>,
        html: Option<String>,
        until: OffsetDateTime,
        created_at: OffsetDateTime,
        updated_at: OffsetDateTime,
    }
}

relation! {
    /// The values that a notification is expected to have when it is updated.
    pub struct ExpectedNotification {
        status: String,
        attempts: i32,
    }
}

table_row! {
    /// A row of `contact`.
    pub struct ContactRow in contact (order_id) {
        order_id: Uuid,
        version: i64,
        customer_id: String,
        name: String,
        email: String,
        phone: String,
        locale: String,
    }
}

table_row! {
    /// A row of `preference`.
    pub struct PreferenceRow in preference (customer_id, kind, channel) {
        customer_id: String,
        kind: String,
        channel: String,
        enabled: bool,
    }
}

impl From<Notification> for NotificationRow {
    fn from(notification: Notification) -> Self {
        let Notification {
            id,
            subject,
            kind,
            channel,
            order,
            recipient,
            locale,
            status,
            attempts,
            message,
            until,
            created_at,
            updated_at,
        } = notification;
        let status_name = status.kind().name();
        let (due_at, failure, reference) = match status {
            Status::Pending { due, failure } => (Some(due.get()), failure, String::new()),
            Status::Sent { reference } => (None, String::new(), reference),
            Status::Failed { reason } => (None, reason, String::new()),
            Status::Suppressed => (None, String::new(), String::new()),
        };
        let (title, body, html) = match message {
            Some(RenderedMessage { title, text, html }) => (Some(title), Some(text), Some(html)),
            None => (None, None, None),
        };
        Self {
            notification_id: id.0,
            subject: subject.0,
            kind: kind.name().to_owned(),
            channel: channel.name().to_owned(),
            order_id: order.map(|order| order.0),
            recipient,
            locale: locale.tag().to_owned(),
            status: status_name.to_owned(),
            attempts: i32::try_from(attempts).unwrap_or(i32::MAX),
            due_at,
            failure,
            reference,
            title,
            body,
            html,
            until: until.get(),
            created_at: created_at.get(),
            updated_at: updated_at.get(),
        }
    }
}

impl TryFrom<NotificationRow> for Notification {
    type Error = sqlx::Error;

    fn try_from(row: NotificationRow) -> Result<Self, sqlx::Error> {
        let NotificationRow {
            notification_id,
            subject,
            kind: kind_name,
            channel: channel_name,
            order_id,
            recipient,
            locale,
            status,
            attempts,
            due_at,
            failure,
            reference,
            title,
            body,
            html,
            until,
            created_at,
            updated_at,
        } = row;
        let status = match (status.as_str(), due_at) {
            ("pending", Some(due)) => Status::Pending { due: Timestamp::new(due), failure },
            ("sent", _) => Status::Sent { reference },
            ("failed", _) => Status::Failed { reason: failure },
            ("suppressed", _) => Status::Suppressed,
            (other, _) => return Err(decode_error(format!("invalid status of a notification: {other}"))),
        };
        let message = match (title, body, html) {
            (Some(title), Some(text), Some(html)) => Some(RenderedMessage { title, text, html }),
            _ => None,
        };
        Ok(Self {
            id: NotificationId(notification_id),
            subject: Subject(subject),
            kind: kind(&kind_name)?,
            channel: channel(&channel_name)?,
            order: order_id.map(OrderId),
            recipient,
            locale: Locale::of(&locale),
            status,
            attempts: u32::try_from(attempts).map_err(decode_error)?,
            message,
            until: Timestamp::new(until),
            created_at: Timestamp::new(created_at),
            updated_at: Timestamp::new(updated_at),
        })
    }
}

impl ExpectedNotification {
    /// Expects this status, and no attempt since the notification was read.
    pub fn new(status: StatusKind, updated: &Notification) -> Self {
        let attempts = i32::try_from(updated.attempts).unwrap_or(i32::MAX);
        Self { status: status.name().to_owned(), attempts }
    }
}

impl From<Contact> for ContactRow {
    fn from(contact: Contact) -> Self {
        let Contact { order, version, customer, name, email, phone, locale } = contact;
        Self {
            order_id: order.0,
            version: version.get(),
            customer_id: customer.0,
            name,
            email,
            phone,
            locale: locale.tag().to_owned(),
        }
    }
}

impl TryFrom<ContactRow> for Contact {
    type Error = sqlx::Error;

    fn try_from(row: ContactRow) -> Result<Self, sqlx::Error> {
        let ContactRow { order_id, version, customer_id, name, email, phone, locale } = row;
        Ok(Self {
            order: OrderId(order_id),
            version: read::version(version)?,
            customer: CustomerId(customer_id),
            name,
            email,
            phone,
            locale: Locale::of(&locale),
        })
    }
}

impl PreferenceRow {
    /// Maps a preference of a customer.
    pub fn new(customer: &CustomerId, kind: Kind, channel: Channel, enabled: bool) -> Self {
        let (kind, channel) = (kind.name().to_owned(), channel.name().to_owned());
        Self { customer_id: customer.0.clone(), kind, channel, enabled }
    }
}

impl TryFrom<PreferenceRow> for ((Kind, Channel), bool) {
    type Error = sqlx::Error;

    fn try_from(row: PreferenceRow) -> Result<Self, sqlx::Error> {
        let PreferenceRow { customer_id: _, kind: kind_name, channel: channel_name, enabled } = row;
        Ok(((kind(&kind_name)?, channel(&channel_name)?), enabled))
    }
}

fn kind(name: &str) -> Result<Kind, sqlx::Error> {
    Kind::from_name(name).ok_or_else(|| decode_error(format!("unknown kind of notification: {name}")))
}

fn channel(name: &str) -> Result<Channel, sqlx::Error> {
    Channel::from_name(name).ok_or_else(|| decode_error(format!("unknown channel: {name}")))
}
