//! Stores payments and callbacks in PostgreSQL.

use mart_chassis::db::read::{decode, more, unreadable};
use mart_chassis::db::row::TableRow;
use mart_chassis::db::{EventDatabase, append_outbox, unavailable, write};
use mart_chassis::{newest_first, sql};
use mart_kernel::{Cursor, Receipt, StoreError, Timestamp};
use payment_core::domain::{
    Account, AttemptId, Callback, CallbackId, Change, OrderId, PaymentEvent, Provider, RefundId, Subject,
};
use payment_core::ports::Store;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::rows::{AccountRows, AttemptRow, CallbackRow, OfOrder, PaymentRow, RefundRow, TaskRow, TransactionRow};

/// Locks an order, even if it has no row yet, so that decisions about it are sequential.
const LOCK: &str = "select pg_advisory_xact_lock(hashtextextended($order_id::text, 0))";

const PAYMENTS: &str = "select * from payment where order_id = any($orders)";

const ATTEMPTS: &str = "select * from attempt where order_id = any($orders) order by nth";

const TRANSACTIONS: &str = "select * from transaction where order_id = any($orders) order by nth";

const REFUNDS: &str = "select * from refund where order_id = any($orders) order by nth";

const TASKS: &str = "select * from task where order_id = any($orders) order by nth";

const LIST: &str = concat!(
    "select order_id from payment where (not $needs_review or exists (select from task \
     where task.order_id = payment.order_id and resolution is null)) and ",
    newest_first!("created_at", "order_id")
);

const MARK_PROCESSED: &str = "update callback set processed = true where provider = $provider and event = $event";

const DUE_CALLBACKS: &str = "select * from callback where not processed and next_attempt_at <= $now \
     order by next_attempt_at, provider, event limit $limit";

const RESCHEDULE: &str = "update callback set next_attempt_at = $until where provider = $provider and event = $event";

const FIND_BY_ATTEMPT: &str = "select order_id, attempt_id from attempt where provider = $provider and reference = $reference and reference <> ''";

const FIND_BY_MONEY: &str = "select order_id, attempt_id from transaction \
     where provider = $provider and reference = $reference and kind = 'captured' \
     union select attempt.order_id, attempt_id from callback join attempt using (provider) \
     where provider = $provider and callback.reference = $reference and callback.kind = 'captured' \
     and attempt.reference = callback.subject_reference limit 1";

const DUE_ATTEMPTS: &str = "select order_id, attempt_id as id from attempt \
     where status in ('opening', 'open') and next_poll_at <= $now order by next_poll_at, order_id, attempt_id limit $limit";

const DUE_REFUNDS: &str = "select order_id, refund_id as id from refund where status = 'pending' and next_attempt_at <= $now \
     order by next_attempt_at, order_id, refund_id limit $limit";

/// Stores payments and callbacks in PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresStore(pub EventDatabase<PaymentEvent>);

impl PostgresStore {
    /// Returns the payments of these orders, in no order.
    async fn accounts(&self, orders: Vec<Uuid>) -> Result<Vec<Account>, StoreError> {
        if orders.is_empty() {
            return Ok(Vec::new());
        }
        let payments = self.0.fetch_all(sql!(PAYMENTS, orders = &orders), PaymentRow::read).await?;
        let mut attempts = self.0.fetch_all(sql!(ATTEMPTS, orders = &orders), AttemptRow::read).await?;
        let mut transactions = self.0.fetch_all(sql!(TRANSACTIONS, orders = &orders), TransactionRow::read).await?;
        let mut refunds = self.0.fetch_all(sql!(REFUNDS, orders = &orders), RefundRow::read).await?;
        let mut tasks = self.0.fetch_all(sql!(TASKS, orders = &orders), TaskRow::read).await?;
        let account = |payment: PaymentRow| {
            let order = payment.order_id();
            let rows = AccountRows {
                payment,
                attempts: of(order, &mut attempts),
                transactions: of(order, &mut transactions),
                refunds: of(order, &mut refunds),
                tasks: of(order, &mut tasks),
            };
            Account::try_from(rows)
        };
        payments.into_iter().map(account).collect::<Result<_, _>>().map_err(|error| unavailable(&error))
    }

    /// Returns the payments that can be decoded, in no order. A payment that cannot is logged and left out, so that it does not
    /// break a list.
    async fn readable(&self, orders: Vec<Uuid>) -> Result<Vec<Account>, StoreError> {
        match self.accounts(orders.clone()).await {
            Err(StoreError::Internal) => {}
            accounts => return accounts,
        }
        let mut found = Vec::new();
        for order in orders {
            match self.accounts(vec![order]).await {
                Ok(mut account) => found.append(&mut account),
                Err(error @ StoreError::Internal) => unreadable(order, &error),
                Err(error @ StoreError::Unavailable) => return Err(error),
            }
        }
        Ok(found)
    }
}

/// Returns the rows of a query for due work: the order and the id of what is due.
fn due<T>(row: &PgRow, id: impl Fn(Uuid) -> T) -> Result<(OrderId, T), sqlx::Error> {
    Ok((OrderId(row.try_get("order_id")?), id(row.try_get("id")?)))
}

/// Takes the rows of one order.
fn of<R: OfOrder>(order: Uuid, rows: &mut Vec<R>) -> Vec<R> {
    rows.extract_if(.., |row| row.order_id() == order).collect()
}

impl Store for PostgresStore {
    async fn decide<T: Send + 'static>(
        &self,
        order: OrderId,
        receipt: Option<Receipt>,
        decide: impl FnOnce(Option<Account>) -> (Change, T) + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        let record = self.0.record();
        let decided = self.0.transact(move |connection| {
            Box::pin(async move {
                let (change, outcome) = decide(lock(connection, order).await?);
                let records = change.events.iter().map(record).collect();
                if !append_outbox(connection, receipt.as_ref(), records).await? {
                    return Ok(None);
                }
                store_change(connection, change).await?;
                Ok(Some(outcome))
            })
        });
        decided.await
    }

    async fn insert_callback(&self, callback: &Callback) -> Result<bool, StoreError> {
        let row = CallbackRow::from(callback.clone());
        self.0.write(write::insert_new([row], "provider, event")).await
    }

    async fn due_callbacks(&self, now: Timestamp, limit: usize) -> Result<Vec<Callback>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let query = sql!(DUE_CALLBACKS, now = now.get(), limit = limit);
        // A callback that cannot be decoded does not block the others.
        self.0.readable(query, decode::<CallbackRow, _>).await.map(|(callbacks, _)| callbacks)
    }

    async fn reschedule(&self, id: &CallbackId, until: Timestamp) -> Result<(), StoreError> {
        let query = sql!(RESCHEDULE, provider = id.provider.name(), event = &id.event, until = until.get());
        self.0.execute(query).await.map(|_| ())
    }

    async fn find_by_subject(
        &self,
        provider: Provider,
        subject: &Subject,
    ) -> Result<Option<(OrderId, AttemptId)>, StoreError> {
        let provider = provider.name();
        let query = match subject {
            Subject::Attempt(reference) => sql!(FIND_BY_ATTEMPT, provider = provider, reference = reference),
            Subject::Money(reference) => sql!(FIND_BY_MONEY, provider = provider, reference = reference),
        };
        let ids = |row: &PgRow| Ok((OrderId(row.try_get("order_id")?), AttemptId(row.try_get("attempt_id")?)));
        Ok(self.0.fetch_all(query, ids).await?.pop())
    }

    async fn find(&self, order: OrderId) -> Result<Option<Account>, StoreError> {
        Ok(self.accounts(vec![order.0]).await?.pop())
    }

    async fn list(&self, needs_review: bool, after: Option<Cursor>, limit: usize) -> Result<Vec<Account>, StoreError> {
        let mut requested = limit;
        loop {
            let limit_of_query = i64::try_from(requested).unwrap_or(i64::MAX);
            let query = sql!(LIST, page(after, limit_of_query), needs_review = needs_review);
            let orders: Vec<Uuid> = self.0.fetch_all(query, |row| row.try_get("order_id")).await?;
            let all = orders.len();
            let mut found = self.readable(orders).await?;
            let Some(more) = more(limit, requested, found.len(), all - found.len()) else {
                found.sort_by_key(|account| std::cmp::Reverse(account.cursor()));
                found.truncate(limit);
                return Ok(found);
            };
            requested = more;
        }
    }

    async fn due_attempts(&self, now: Timestamp, limit: usize) -> Result<Vec<(OrderId, AttemptId)>, StoreError> {
        let query = sql!(DUE_ATTEMPTS, now = now.get(), limit = i64::try_from(limit).unwrap_or(i64::MAX));
        self.0.fetch_all(query, |row| due(row, AttemptId)).await
    }

    async fn due_refunds(&self, now: Timestamp, limit: usize) -> Result<Vec<(OrderId, RefundId)>, StoreError> {
        let query = sql!(DUE_REFUNDS, now = now.get(), limit = i64::try_from(limit).unwrap_or(i64::MAX));
        self.0.fetch_all(query, |row| due(row, RefundId)).await
    }
}

/// Locks an order and returns its payment, if there is one.
async fn lock(connection: &mut PgConnection, order: OrderId) -> Result<Option<Account>, sqlx::Error> {
    fn read<R: TableRow>(rows: &[PgRow]) -> Result<Vec<R>, sqlx::Error> {
        rows.iter().map(R::read).collect()
    }
    sql!(LOCK, order_id = order.0).execute(&mut *connection).await?;
    let orders = [order.0];
    let payments = sql!(PAYMENTS, orders = &orders[..]).fetch_all(&mut *connection).await?;
    let Some(payment) = read(&payments)?.pop() else { return Ok(None) };
    let rows = AccountRows {
        payment,
        attempts: read(&sql!(ATTEMPTS, orders = &orders[..]).fetch_all(&mut *connection).await?)?,
        transactions: read(&sql!(TRANSACTIONS, orders = &orders[..]).fetch_all(&mut *connection).await?)?,
        refunds: read(&sql!(REFUNDS, orders = &orders[..]).fetch_all(&mut *connection).await?)?,
        tasks: read(&sql!(TASKS, orders = &orders[..]).fetch_all(connection).await?)?,
    };
    Account::try_from(rows).map(Some)
}

async fn store_change(connection: &mut PgConnection, change: Change) -> Result<(), sqlx::Error> {
    let Change { account, events: _, processed } = change;
    for CallbackId { provider, event } in processed {
        sql!(MARK_PROCESSED, provider = provider.name(), event = event).execute(&mut *connection).await?;
    }
    let Some(account) = account else { return Ok(()) };
    let AccountRows { payment, attempts, transactions, refunds, tasks } = account.into();
    write::upsert([payment]).execute(&mut *connection).await?;
    write::upsert(attempts).execute(&mut *connection).await?;
    write::insert_new(transactions, "transaction_id").execute(&mut *connection).await?;
    write::upsert(refunds).execute(&mut *connection).await?;
    write::upsert(tasks).execute(connection).await?;
    Ok(())
}
