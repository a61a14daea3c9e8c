//! The store in PostgreSQL.

use mart_chassis::db::read::decode;
use mart_chassis::db::{EventDatabase, append_outbox, write};
use mart_chassis::{newest_first, sql};
use mart_kernel::{Cursor, Receipt, StoreError, Timestamp};
use notification_core::domain::{
    Change, Channel, Contact, CustomerId, Kind, Notification, NotificationEvent, NotificationId, OrderId, Preferences,
    StatusKind,
};
use notification_core::ports::{DecisionData, DecisionKeys, Filter, Store};
use sqlx::PgConnection;

use super::rows::{ContactRow, ExpectedNotification, NotificationRow, PreferenceRow};

const CONTACT: &str = "select * from contact where order_id = $order_id";

const PREFERENCES: &str = "select * from preference where customer_id = $customer_id";

/// Skips rows that another replica is claiming.
const CLAIM: &str = "with due as (select notification_id from notification where status = 'pending' and channel = $channel \
     and due_at <= $now order by due_at, notification_id limit $limit for update skip locked) \
     update notification set attempts = attempts + 1, due_at = $lease from due \
     where notification.notification_id = due.notification_id returning notification.*";

const FIND: &str = "select * from notification where notification_id = $notification_id";

const LIST: &str = concat!(
    "select * from notification where ($order_id::uuid is null or order_id = $order_id) \
     and ($recipient::text is null or recipient = $recipient) and ($status::text is null or status = $status) and ",
    newest_first!("created_at", "notification_id")
);

/// Stores notifications in PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresStore(pub EventDatabase<NotificationEvent>);

impl Store for PostgresStore {
    async fn decide(
        &self,
        keys: DecisionKeys,
        receipt: Receipt,
        decide: impl FnOnce(DecisionData) -> Change + Send + 'static,
    ) -> Result<(), StoreError> {
        let decided = self.0.transact(move |connection| {
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

    async fn find_contact(&self, order: OrderId) -> Result<Option<Contact>, StoreError> {
        Ok(self.0.fetch::<ContactRow, _>(sql!(CONTACT, order_id = order.0)).await?.pop())
    }

    async fn claim_due(
        &self,
        channel: Channel,
        now: Timestamp,
        lease: Timestamp,
        limit: usize,
    ) -> Result<Vec<Notification>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let query = sql!(CLAIM, channel = channel.name(), now = now.get(), lease = lease.get(), limit = limit);
        // A row that cannot be decoded does not block the others.
        let (mut claimed, _) = self.0.readable(query, decode::<NotificationRow, Notification>).await?;
        // An update returns its rows in no particular order.
        claimed.sort_by_key(|claimed| claimed.id);
        Ok(claimed)
    }

    async fn update(&self, expected: StatusKind, updated: &Notification) -> Result<bool, StoreError> {
        let expected = ExpectedNotification::new(expected, updated);
        self.0.write(write::update(NotificationRow::from(updated.clone()), expected)).await
    }

    async fn find(&self, id: NotificationId) -> Result<Option<Notification>, StoreError> {
        Ok(self.0.fetch::<NotificationRow, _>(sql!(FIND, notification_id = id.0)).await?.pop())
    }

    async fn list(
        &self,
        filter: &Filter,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Notification>, StoreError> {
        let Filter { order, recipient, status } = filter;
        let query = |limit: i64| {
            sql!(
                LIST,
                page(after, limit),
                order_id = order.map(|order| order.0),
                recipient = recipient,
                status = status.map(StatusKind::name),
            )
        };
        self.0.list(limit, query, decode::<NotificationRow, _>).await
    }

    async fn find_preferences(&self, customer: &CustomerId) -> Result<Preferences, StoreError> {
        let stored = self.0.fetch::<PreferenceRow, _>(sql!(PREFERENCES, customer_id = &customer.0)).await?;
        Ok(Preferences(stored.into_iter().collect()))
    }

    async fn set_preference(
        &self,
        customer: &CustomerId,
        kind: Kind,
        channel: Channel,
        enabled: bool,
    ) -> Result<(), StoreError> {
        let row = PreferenceRow::new(customer, kind, channel, enabled);
        self.0.write(write::upsert([row])).await.map(|_| ())
    }
}

async fn decision_data(connection: &mut PgConnection, keys: DecisionKeys) -> Result<DecisionData, sqlx::Error> {
    let row = match keys.order {
        Some(order) => sql!(CONTACT, order_id = order.0).fetch_optional(&mut *connection).await?,
        None => None,
    };
    let contact = row.as_ref().map(decode::<ContactRow, Contact>).transpose()?;
    let customer = keys.customer.or_else(|| contact.as_ref().map(|contact| contact.customer.clone()));
    let rows = match customer {
        Some(customer) => sql!(PREFERENCES, customer_id = customer.0).fetch_all(connection).await?,
        None => Vec::new(),
    };
    let preferences: Result<_, sqlx::Error> = rows.iter().map(decode::<PreferenceRow, _>).collect();
    Ok(DecisionData { contact, preferences: Preferences(preferences?) })
}

async fn apply(connection: &mut PgConnection, change: Change) -> Result<(), sqlx::Error> {
    let Change { contact, notifications } = change;
    write::upsert_newer(contact.map(ContactRow::from)).execute(&mut *connection).await?;
    let rows = notifications.into_iter().map(NotificationRow::from);
    // A kind is sent once for each subject and channel.
    write::insert_new(rows, "subject, kind, channel").execute(connection).await?;
    Ok(())
}
