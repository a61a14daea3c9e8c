//! Stores payments and callbacks in PostgreSQL.

use mart_chassis::db::append_outbox;
use mart_chassis::db::read::{decode_error, more, time, unreadable, version};
use mart_chassis::{Database, Record};
use mart_kernel::money::Currency;
use mart_kernel::{Cursor, EventEnvelope, Money, Receipt, StoreError, Timestamp};
use payment_core::domain::{
    Account, Attempt, AttemptId, AttemptStatus, Callback, CallbackId, Change, Checkout, CustomerId, OrderId, Payer,
    PaymentEvent, Provider, ProviderEvent, ProviderEventKind, Refund, RefundId, RefundStatus, Subject, Task, TaskId,
    Transaction, TransactionId, TransactionKind,
};
use payment_core::ports::Store;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// Locks an order, even if it has no row yet, so that decisions about it are sequential.
const LOCK: &str = "select pg_advisory_xact_lock(hashtextextended($1::text, 0))";

const PAYMENTS: &str = "select * from payment where order_id = any($1)";

const ATTEMPTS: &str = "select * from attempt where order_id = any($1) order by nth";

const TRANSACTIONS: &str = "select transaction.*, currency from transaction join payment using (order_id) \
     where order_id = any($1) order by nth";

const REFUNDS: &str =
    "select refund.*, currency from refund join payment using (order_id) where order_id = any($1) order by nth";

const TASKS: &str = "select * from task where order_id = any($1) order by nth";

const LIST: &str = "select order_id from payment where (created_at, order_id) < (coalesce($1, 'infinity'::timestamptz), \
     coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)) and (not $3 or exists (select from task \
     where task.order_id = payment.order_id and resolution is null)) order by created_at desc, order_id desc limit $4";

const UPSERT_PAYMENT: &str = "insert into payment (order_id, version, customer_id, amount, currency, deadline, closed, created_at, \
     updated_at, email, phone, country) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
     on conflict (order_id) do update set version = $2, closed = $7, updated_at = $9";

const UPSERT_ATTEMPT: &str = "insert into attempt (attempt_id, order_id, nth, provider, status, failure, reference, url, \
     field_names, field_values, expires_at, next_poll_at, created_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict (attempt_id) do update set \
     status = $5, failure = $6, reference = $7, url = $8, field_names = $9, \
     field_values = $10, expires_at = $11, next_poll_at = $12";

const INSERT_TRANSACTION: &str = "insert into transaction (transaction_id, order_id, nth, kind, amount, provider, reference, \
     attempt_id, at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (transaction_id) do nothing";

const UPSERT_REFUND: &str = "insert into refund (refund_id, order_id, nth, attempt_id, amount, status, reason, \
     next_attempt_at, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
     on conflict (order_id, refund_id) do update set status = $6, next_attempt_at = $8";

const UPSERT_TASK: &str = "insert into task (task_id, order_id, nth, reason, refund_id, resolution, created_at) \
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (task_id) do update set resolution = $6";

const INSERT_CALLBACK: &str = "insert into callback (provider, event, subject, subject_reference, kind, reference, reported, \
     amount, currency, refund_id, at, next_attempt_at, processed) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, false) on conflict (provider, event) do nothing";

const MARK_PROCESSED: &str = "update callback set processed = true where provider = $1 and event = $2";

const PENDING_CALLBACKS: &str = "select * from callback where not processed and next_attempt_at <= $1 \
     order by next_attempt_at, provider, event limit $2";

const RESCHEDULE: &str = "update callback set next_attempt_at = $3 where provider = $1 and event = $2";

const FIND_BY_ATTEMPT: &str =
    "select order_id, attempt_id from attempt where provider = $1 and reference = $2 and reference <> ''";

const FIND_BY_MONEY: &str = "select order_id, attempt_id from transaction \
     where provider = $1 and reference = $2 and kind = 'captured' \
     union select attempt.order_id, attempt_id from callback join attempt using (provider) \
     where provider = $1 and callback.reference = $2 and callback.kind = 'captured' \
     and attempt.reference = callback.subject_reference limit 1";

const DUE_ATTEMPTS: &str = "select order_id, attempt_id as id from attempt \
     where status in ('opening', 'open') and next_poll_at <= $1 order by next_poll_at, order_id, attempt_id limit $2";

const DUE_REFUNDS: &str = "select order_id, refund_id as id from refund where status = 'pending' and next_attempt_at <= $1 \
     order by next_attempt_at, order_id, refund_id limit $2";

/// Stores payments and callbacks. `record` creates the record of an event.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    database: Database,
    record: fn(&EventEnvelope<PaymentEvent>) -> Record,
}

impl PostgresStore {
    /// Creates a store in this database.
    pub fn new(database: Database, record: fn(&EventEnvelope<PaymentEvent>) -> Record) -> Self {
        Self { database, record }
    }

    /// Returns the payments of these orders, in no order.
    async fn accounts(&self, orders: Vec<Uuid>) -> Result<Vec<Account>, StoreError> {
        if orders.is_empty() {
            return Ok(Vec::new());
        }
        let rows = |sql: &'static str| sqlx::query(sql).bind(orders.clone());
        let mut accounts = self.database.fetch_all(rows(PAYMENTS), account).await?;
        let attempts = self.database.fetch_all(rows(ATTEMPTS), attempt).await?;
        let transactions = self.database.fetch_all(rows(TRANSACTIONS), transaction).await?;
        let refunds = self.database.fetch_all(rows(REFUNDS), refund).await?;
        let tasks = self.database.fetch_all(rows(TASKS), task).await?;
        for account in &mut accounts {
            fill(account, &attempts, &transactions, &refunds, &tasks);
        }
        Ok(accounts)
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

    async fn due<T>(
        &self,
        sql: &'static str,
        now: Timestamp,
        limit: usize,
        id: fn(Uuid) -> T,
    ) -> Result<Vec<(OrderId, T)>, StoreError> {
        let query = sqlx::query(sql).bind(now.get()).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let due = |row: &PgRow| Ok((OrderId(row.try_get("order_id")?), row.try_get::<Uuid, _>("id")?));
        let found: Vec<(OrderId, Uuid)> = self.database.fetch_all(query, due).await?;
        Ok(found.into_iter().map(|(order, uuid)| (order, id(uuid))).collect())
    }
}

/// A row with its order.
type OfOrder<T> = (OrderId, T);

/// Adds the rows of an account to it.
fn fill(
    account: &mut Account,
    attempts: &[OfOrder<Attempt>],
    transactions: &[OfOrder<Transaction>],
    refunds: &[OfOrder<Refund>],
    tasks: &[OfOrder<Task>],
) {
    fn of<T: Clone>(order: OrderId, rows: &[OfOrder<T>]) -> Vec<T> {
        rows.iter().filter(|(row_order, _)| *row_order == order).map(|(_, item)| item.clone()).collect()
    }
    account.attempts = of(account.order, attempts);
    account.transactions = of(account.order, transactions);
    account.refunds = of(account.order, refunds);
    account.tasks = of(account.order, tasks);
}

impl Store for PostgresStore {
    async fn decide<T: Send + 'static>(
        &self,
        order: OrderId,
        receipt: Option<Receipt>,
        decide: impl FnOnce(Option<Account>) -> (Change, T) + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        let record = self.record;
        let decided = self.database.transact(move |connection| {
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
        let Callback { id, event: ProviderEvent { provider: _, subject, kind }, at } = callback;
        let (subject, subject_reference) = match subject {
            Subject::Attempt(reference) => ("attempt", reference),
            Subject::Money(reference) => ("money", reference),
        };
        let empty = String::new();
        let (kind, reference, reported, amount, refund) = match kind {
            ProviderEventKind::Captured { reference, reported_amount, amount } => {
                ("captured", reference, reported_amount, *amount, None)
            }
            ProviderEventKind::Failed(reason) => ("failed", &empty, reason, None, None),
            ProviderEventKind::CheckoutExpired => ("checkout_expired", &empty, &empty, None, None),
            ProviderEventKind::Refunded { refund, reference } => ("refunded", reference, &empty, None, Some(refund.0)),
            ProviderEventKind::ExternalRefund { refund, reference, reported_amount, amount } => {
                ("external_refund", reference, reported_amount, *amount, Some(refund.0))
            }
            ProviderEventKind::RefundFailed { refund, reason } => {
                ("refund_failed", &empty, reason, None, Some(refund.0))
            }
            ProviderEventKind::NeedsReview(reason) => ("needs_review", &empty, reason, None, None),
        };
        let query = sqlx::query(INSERT_CALLBACK)
            .bind(id.provider.name())
            .bind(&id.event)
            .bind(subject)
            .bind(subject_reference)
            .bind(kind)
            .bind(reference)
            .bind(reported)
            .bind(amount.map(Money::minor))
            .bind(amount.map(|amount| amount.currency().code()))
            .bind(refund)
            .bind(at.get());
        self.database.execute(query).await
    }

    async fn pending_callbacks(&self, until: Timestamp, limit: usize) -> Result<Vec<Callback>, StoreError> {
        let query = sqlx::query(PENDING_CALLBACKS).bind(until.get()).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        // A callback that cannot be decoded does not block the others.
        self.database.readable(query, callback).await.map(|(callbacks, _)| callbacks)
    }

    async fn reschedule(&self, id: &CallbackId, until: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query(RESCHEDULE).bind(id.provider.name()).bind(&id.event).bind(until.get());
        self.database.execute(query).await.map(|_| ())
    }

    async fn attempt_of(
        &self,
        provider: Provider,
        subject: &Subject,
    ) -> Result<Option<(OrderId, AttemptId)>, StoreError> {
        let (sql, reference) = match subject {
            Subject::Attempt(reference) => (FIND_BY_ATTEMPT, reference),
            Subject::Money(reference) => (FIND_BY_MONEY, reference),
        };
        let query = sqlx::query(sql).bind(provider.name()).bind(reference);
        let ids = |row: &PgRow| Ok((OrderId(row.try_get("order_id")?), AttemptId(row.try_get("attempt_id")?)));
        Ok(self.database.fetch_all(query, ids).await?.pop())
    }

    async fn find(&self, order: OrderId) -> Result<Option<Account>, StoreError> {
        Ok(self.accounts(vec![order.0]).await?.pop())
    }

    async fn list(&self, needs_review: bool, after: Option<Cursor>, limit: usize) -> Result<Vec<Account>, StoreError> {
        let mut requested = limit;
        loop {
            let query = sqlx::query(LIST)
                .bind(after.map(|after| after.at.get()))
                .bind(after.map(|after| after.id))
                .bind(needs_review)
                .bind(i64::try_from(requested).unwrap_or(i64::MAX));
            let orders: Vec<Uuid> = self.database.fetch_all(query, |row| row.try_get("order_id")).await?;
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
        self.due(DUE_ATTEMPTS, now, limit, AttemptId).await
    }

    async fn due_refunds(&self, now: Timestamp, limit: usize) -> Result<Vec<(OrderId, RefundId)>, StoreError> {
        self.due(DUE_REFUNDS, now, limit, RefundId).await
    }
}

/// Locks an order and returns its payment, if there is one.
async fn lock(connection: &mut PgConnection, order: OrderId) -> Result<Option<Account>, sqlx::Error> {
    async fn rows<T>(
        connection: &mut PgConnection,
        sql: &'static str,
        order: OrderId,
        decode: fn(&PgRow) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>, sqlx::Error> {
        let rows = sqlx::query(sql).bind(vec![order.0]).fetch_all(connection).await?;
        rows.iter().map(decode).collect()
    }
    sqlx::query(LOCK).bind(order.0).execute(&mut *connection).await?;
    let Some(mut account) = rows(connection, PAYMENTS, order, account).await?.pop() else { return Ok(None) };
    let attempts = rows(connection, ATTEMPTS, order, attempt).await?;
    let transactions = rows(connection, TRANSACTIONS, order, transaction).await?;
    let refunds = rows(connection, REFUNDS, order, refund).await?;
    let tasks = rows(connection, TASKS, order, task).await?;
    fill(&mut account, &attempts, &transactions, &refunds, &tasks);
    Ok(Some(account))
}

async fn store_change(connection: &mut PgConnection, change: Change) -> Result<(), sqlx::Error> {
    let Change { account, events: _, processed } = change;
    for CallbackId { provider, event } in processed {
        sqlx::query(MARK_PROCESSED).bind(provider.name()).bind(event).execute(&mut *connection).await?;
    }
    let Some(account) = account else { return Ok(()) };
    let order = account.order;
    sqlx::query(UPSERT_PAYMENT)
        .bind(order.0)
        .bind(account.version.get())
        .bind(&account.customer.0)
        .bind(account.amount.minor())
        .bind(account.amount.currency().code())
        .bind(account.deadline.get())
        .bind(account.closed)
        .bind(account.created_at.get())
        .bind(account.updated_at.get())
        .bind(account.payer.email)
        .bind(account.payer.phone)
        .bind(account.payer.country)
        .execute(&mut *connection)
        .await?;
    for (attempt, nth) in account.attempts.into_iter().zip(0_i32..) {
        store_attempt(connection, order, nth, attempt).await?;
    }
    for (booked, nth) in account.transactions.into_iter().zip(0_i32..) {
        let Transaction { id, kind, amount, provider, reference, attempt, at } = booked;
        let query = sqlx::query(INSERT_TRANSACTION)
            .bind(id.0)
            .bind(order.0)
            .bind(nth)
            .bind(kind_name(kind))
            .bind(amount.minor());
        let query = query.bind(provider.name()).bind(reference).bind(attempt.0).bind(at.get());
        query.execute(&mut *connection).await?;
    }
    for (refund, nth) in account.refunds.into_iter().zip(0_i32..) {
        let Refund { id, attempt, amount, status, reason, next_attempt_at, created_at } = refund;
        let query = sqlx::query(UPSERT_REFUND).bind(id.0).bind(order.0).bind(nth).bind(attempt.0).bind(amount.minor());
        let query = query.bind(refund_status(status)).bind(reason).bind(next_attempt_at.get()).bind(created_at.get());
        query.execute(&mut *connection).await?;
    }
    for (task, nth) in account.tasks.into_iter().zip(0_i32..) {
        let Task { id, reason, refund, resolution, created_at } = task;
        let query = sqlx::query(UPSERT_TASK).bind(id.0).bind(order.0).bind(nth).bind(reason);
        let query = query.bind(refund.map(|refund| refund.0)).bind(resolution).bind(created_at.get());
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

async fn store_attempt(
    connection: &mut PgConnection,
    order: OrderId,
    nth: i32,
    attempt: Attempt,
) -> Result<(), sqlx::Error> {
    let Attempt { id, provider, status, reference, checkout, expires_at, next_poll_at, created_at } = attempt;
    let (status, failure) = match status {
        AttemptStatus::Opening => ("opening", String::new()),
        AttemptStatus::Open => ("open", String::new()),
        AttemptStatus::Captured => ("captured", String::new()),
        AttemptStatus::Failed(reason) => ("failed", reason),
        AttemptStatus::Closed => ("closed", String::new()),
    };
    let (url, fields) = checkout.map_or((None, Vec::new()), |Checkout { url, fields }| (Some(url), fields));
    let (names, values): (Vec<String>, Vec<String>) = fields.into_iter().unzip();
    sqlx::query(UPSERT_ATTEMPT)
        .bind(id.0)
        .bind(order.0)
        .bind(nth)
        .bind(provider.name())
        .bind(status)
        .bind(failure)
        .bind(reference)
        .bind(url)
        .bind(names)
        .bind(values)
        .bind(expires_at.get())
        .bind(next_poll_at.get())
        .bind(created_at.get())
        .execute(connection)
        .await?;
    Ok(())
}

fn kind_name(kind: TransactionKind) -> &'static str {
    match kind {
        TransactionKind::Captured => "captured",
        TransactionKind::Refunded => "refunded",
    }
}

fn refund_status(status: RefundStatus) -> &'static str {
    match status {
        RefundStatus::Pending => "pending",
        RefundStatus::Manual => "manual",
        RefundStatus::Succeeded => "succeeded",
        RefundStatus::Failed => "failed",
    }
}

fn amount(row: &PgRow) -> Result<Money, sqlx::Error> {
    let currency = Currency::from_code(row.try_get("currency")?).map_err(|error| decode_error(error.to_string()))?;
    Ok(Money::from_minor(row.try_get("amount")?, currency))
}

fn provider(row: &PgRow) -> Result<Provider, sqlx::Error> {
    let name: String = row.try_get("provider")?;
    Provider::from_name(&name).ok_or_else(|| decode_error(format!("unknown provider: {name}")))
}

fn account(row: &PgRow) -> Result<Account, sqlx::Error> {
    Ok(Account {
        order: OrderId(row.try_get("order_id")?),
        version: version(row, "version")?,
        customer: CustomerId(row.try_get("customer_id")?),
        payer: Payer { email: row.try_get("email")?, phone: row.try_get("phone")?, country: row.try_get("country")? },
        amount: amount(row)?,
        deadline: time(row, "deadline")?,
        closed: row.try_get("closed")?,
        attempts: Vec::new(),
        transactions: Vec::new(),
        refunds: Vec::new(),
        tasks: Vec::new(),
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

fn attempt(row: &PgRow) -> Result<OfOrder<Attempt>, sqlx::Error> {
    let status = match row.try_get("status")? {
        "opening" => AttemptStatus::Opening,
        "open" => AttemptStatus::Open,
        "captured" => AttemptStatus::Captured,
        "failed" => AttemptStatus::Failed(row.try_get("failure")?),
        "closed" => AttemptStatus::Closed,
        other => return Err(decode_error(format!("unknown status of an attempt: {other}"))),
    };
    let (names, values): (Vec<String>, Vec<String>) = (row.try_get("field_names")?, row.try_get("field_values")?);
    let url: Option<String> = row.try_get("url")?;
    let checkout = url.map(|url| Checkout { url, fields: names.into_iter().zip(values).collect() });
    let attempt = Attempt {
        id: AttemptId(row.try_get("attempt_id")?),
        provider: provider(row)?,
        status,
        reference: row.try_get("reference")?,
        checkout,
        expires_at: time(row, "expires_at")?,
        next_poll_at: time(row, "next_poll_at")?,
        created_at: time(row, "created_at")?,
    };
    Ok((OrderId(row.try_get("order_id")?), attempt))
}

fn transaction(row: &PgRow) -> Result<OfOrder<Transaction>, sqlx::Error> {
    let kind = match row.try_get("kind")? {
        "captured" => TransactionKind::Captured,
        "refunded" => TransactionKind::Refunded,
        other => return Err(decode_error(format!("unknown kind of transaction: {other}"))),
    };
    let booked = Transaction {
        id: TransactionId(row.try_get("transaction_id")?),
        kind,
        amount: amount(row)?,
        provider: provider(row)?,
        reference: row.try_get("reference")?,
        attempt: AttemptId(row.try_get("attempt_id")?),
        at: time(row, "at")?,
    };
    Ok((OrderId(row.try_get("order_id")?), booked))
}

fn refund(row: &PgRow) -> Result<OfOrder<Refund>, sqlx::Error> {
    let status = match row.try_get("status")? {
        "pending" => RefundStatus::Pending,
        "manual" => RefundStatus::Manual,
        "succeeded" => RefundStatus::Succeeded,
        "failed" => RefundStatus::Failed,
        other => return Err(decode_error(format!("unknown status of a refund: {other}"))),
    };
    let refund = Refund {
        id: RefundId(row.try_get("refund_id")?),
        attempt: AttemptId(row.try_get("attempt_id")?),
        amount: amount(row)?,
        status,
        reason: row.try_get("reason")?,
        next_attempt_at: time(row, "next_attempt_at")?,
        created_at: time(row, "created_at")?,
    };
    Ok((OrderId(row.try_get("order_id")?), refund))
}

fn task(row: &PgRow) -> Result<OfOrder<Task>, sqlx::Error> {
    let task = Task {
        id: TaskId(row.try_get("task_id")?),
        reason: row.try_get("reason")?,
        refund: row.try_get::<Option<Uuid>, _>("refund_id")?.map(RefundId),
        resolution: row.try_get("resolution")?,
        created_at: time(row, "created_at")?,
    };
    Ok((OrderId(row.try_get("order_id")?), task))
}

fn callback(row: &PgRow) -> Result<Callback, sqlx::Error> {
    let (reference, reported): (String, String) = (row.try_get("reference")?, row.try_get("reported")?);
    let (refund, minor): (Option<Uuid>, Option<i64>) = (row.try_get("refund_id")?, row.try_get("amount")?);
    let amount = minor.map(|_| amount(row)).transpose()?;
    let kind = match (row.try_get("kind")?, refund.map(RefundId)) {
        ("captured", None) => ProviderEventKind::Captured { reference, reported_amount: reported, amount },
        ("failed", None) => ProviderEventKind::Failed(reported),
        ("checkout_expired", None) => ProviderEventKind::CheckoutExpired,
        ("refunded", Some(refund)) => ProviderEventKind::Refunded { refund, reference },
        ("external_refund", Some(refund)) => {
            ProviderEventKind::ExternalRefund { refund, reference, reported_amount: reported, amount }
        }
        ("refund_failed", Some(refund)) => ProviderEventKind::RefundFailed { refund, reason: reported },
        ("needs_review", None) => ProviderEventKind::NeedsReview(reported),
        (other, _) => return Err(decode_error(format!("unknown kind of a provider's event: {other}"))),
    };
    let (provider, reference) = (provider(row)?, row.try_get("subject_reference")?);
    let subject = match row.try_get("subject")? {
        "attempt" => Subject::Attempt(reference),
        "money" => Subject::Money(reference),
        other => return Err(decode_error(format!("unknown subject of a provider's event: {other}"))),
    };
    Ok(Callback {
        id: CallbackId { provider, event: row.try_get("event")? },
        event: ProviderEvent { provider, subject, kind },
        at: time(row, "at")?,
    })
}
