//! The rows of a payment: itself, its attempts, transactions, refunds and tasks.

use mart_chassis::db::read::{self, decode_error};
use mart_chassis::table_row;
use mart_kernel::money::Currency;
use mart_kernel::{Money, Timestamp};
use payment_core::domain::{
    Account, Attempt, AttemptId, AttemptStatus, Checkout, CustomerId, OrderId, Payer, Refund, RefundId, RefundStatus,
    Task, TaskId, Transaction, TransactionId, TransactionKind,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{currency, provider};

table_row! {
    /// A row of `payment`.
    pub struct PaymentRow in payment (order_id) {
        order_id: Uuid,
        version: i64,
        customer_id: String,
        email: String,
        phone: String,
        country: String,
        amount: i64,
        currency: String,
        deadline: OffsetDateTime,
        closed: bool,
        created_at: OffsetDateTime,
        updated_at: OffsetDateTime,
    }
}

table_row! {
    /// A row of `attempt`.
    pub struct AttemptRow in attempt (attempt_id) {
        attempt_id: Uuid,
        order_id: Uuid,
        nth: i32,
        provider: String,
        status: String,
        failure: String,
        reference: String,
        url: Option<String>,
        field_names: Vec<String>,
        field_values: Vec<String>,
        expires_at: OffsetDateTime,
        next_poll_at: OffsetDateTime,
        created_at: OffsetDateTime,
    }
}

table_row! {
    /// A row of `transaction`. Its currency is the payment's.
    pub struct TransactionRow in transaction (transaction_id) {
        transaction_id: Uuid,
        order_id: Uuid,
        nth: i32,
        kind: String,
        amount: i64,
        provider: String,
        reference: String,
        attempt_id: Uuid,
        at: OffsetDateTime,
    }
}

table_row! {
    /// A row of `refund`. Its currency is the payment's.
    pub struct RefundRow in refund (order_id, refund_id) {
        refund_id: Uuid,
        order_id: Uuid,
        nth: i32,
        attempt_id: Uuid,
        amount: i64,
        status: String,
        reason: String,
        next_attempt_at: OffsetDateTime,
        created_at: OffsetDateTime,
    }
}

table_row! {
    /// A row of `task`.
    pub struct TaskRow in task (task_id) {
        task_id: Uuid,
        order_id: Uuid,
        nth: i32,
        reason: String,
        refund_id: Option<Uuid>,
        resolution: Option<String>,
        created_at: OffsetDateTime,
    }
}

/// The rows of a payment. The order of the others is that of their `nth`.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountRows {
    /// The payment itself.
    pub payment: PaymentRow,
    /// Its attempts.
    pub attempts: Vec<AttemptRow>,
    /// Its transactions.
    pub transactions: Vec<TransactionRow>,
    /// Its refunds.
    pub refunds: Vec<RefundRow>,
    /// Its tasks.
    pub tasks: Vec<TaskRow>,
}

/// A row that belongs to a payment.
pub trait OfOrder {
    /// Returns the order of the payment.
    fn order_id(&self) -> Uuid;
}

macro_rules! of_order {
    ($($row:ty),+) => {
        $(impl OfOrder for $row {
            fn order_id(&self) -> Uuid {
                self.order_id
            }
        })+
    };
}

of_order!(PaymentRow, AttemptRow, TransactionRow, RefundRow, TaskRow);

/// Maps values of a payment to rows with their places.
fn rows<T, R>(order: OrderId, values: Vec<T>, row: impl Fn(OrderId, i32, T) -> R) -> Vec<R> {
    values.into_iter().zip(0..).map(|(value, nth)| row(order, nth, value)).collect()
}

impl From<Account> for AccountRows {
    fn from(account: Account) -> Self {
        let Account {
            order,
            version,
            customer,
            payer,
            amount,
            deadline,
            closed,
            attempts,
            transactions,
            refunds,
            tasks,
            created_at,
            updated_at,
        } = account;
        let Payer { email, phone, country } = payer;
        let payment = PaymentRow {
            order_id: order.0,
            version: version.get(),
            customer_id: customer.0,
            email,
            phone,
            country,
            amount: amount.minor(),
            currency: amount.currency().code().to_owned(),
            deadline: deadline.get(),
            closed,
            created_at: created_at.get(),
            updated_at: updated_at.get(),
        };
        Self {
            payment,
            attempts: rows(order, attempts, AttemptRow::new),
            transactions: rows(order, transactions, TransactionRow::new),
            refunds: rows(order, refunds, RefundRow::new),
            tasks: rows(order, tasks, TaskRow::new),
        }
    }
}

impl TryFrom<AccountRows> for Account {
    type Error = sqlx::Error;

    fn try_from(rows: AccountRows) -> Result<Self, sqlx::Error> {
        let AccountRows { payment, attempts, transactions, refunds, tasks } = rows;
        let PaymentRow {
            order_id,
            version,
            customer_id,
            email,
            phone,
            country,
            amount,
            currency: code,
            deadline,
            closed,
            created_at,
            updated_at,
        } = payment;
        let currency = currency(&code)?;
        Ok(Self {
            order: OrderId(order_id),
            version: read::version(version)?,
            customer: CustomerId(customer_id),
            payer: Payer { email, phone, country },
            amount: Money::from_minor(amount, currency),
            deadline: Timestamp::new(deadline),
            closed,
            attempts: attempts.into_iter().map(Attempt::try_from).collect::<Result<_, _>>()?,
            transactions: transactions.into_iter().map(|row| row.transaction(currency)).collect::<Result<_, _>>()?,
            refunds: refunds.into_iter().map(|row| row.refund(currency)).collect::<Result<_, _>>()?,
            tasks: tasks.into_iter().map(Task::from).collect(),
            created_at: Timestamp::new(created_at),
            updated_at: Timestamp::new(updated_at),
        })
    }
}

impl AttemptRow {
    fn new(order: OrderId, nth: i32, attempt: Attempt) -> Self {
        let Attempt { id, provider, status, reference, checkout, expires_at, next_poll_at, created_at } = attempt;
        let (status, failure) = match status {
            AttemptStatus::Opening => ("opening", String::new()),
            AttemptStatus::Open => ("open", String::new()),
            AttemptStatus::Captured => ("captured", String::new()),
            AttemptStatus::Failed(reason) => ("failed", reason),
            AttemptStatus::Closed => ("closed", String::new()),
        };
        let (url, fields) = checkout.map_or((None, Vec::new()), |Checkout { url, fields }| (Some(url), fields));
        let (field_names, field_values) = fields.into_iter().unzip();
        Self {
            attempt_id: id.0,
            order_id: order.0,
            nth,
            provider: provider.name().to_owned(),
            status: status.to_owned(),
            failure,
            reference,
            url,
            field_names,
            field_values,
            expires_at: expires_at.get(),
            next_poll_at: next_poll_at.get(),
            created_at: created_at.get(),
        }
    }
}

impl TryFrom<AttemptRow> for Attempt {
    type Error = sqlx::Error;

    fn try_from(row: AttemptRow) -> Result<Self, sqlx::Error> {
        let AttemptRow {
            attempt_id,
            order_id: _,
            nth: _,
            provider: name,
            status,
            failure,
            reference,
            url,
            field_names,
            field_values,
            expires_at,
            next_poll_at,
            created_at,
        } = row;
        let status = match status.as_str() {
            "opening" => AttemptStatus::Opening,
            "open" => AttemptStatus::Open,
            "captured" => AttemptStatus::Captured,
            "failed" => AttemptStatus::Failed(failure),
            "closed" => AttemptStatus::Closed,
            other => return Err(decode_error(format!("unknown status of an attempt: {other}"))),
        };
        let checkout = url.map(|url| Checkout { url, fields: field_names.into_iter().zip(field_values).collect() });
        Ok(Self {
            id: AttemptId(attempt_id),
            provider: provider(&name)?,
            status,
            reference,
            checkout,
            expires_at: Timestamp::new(expires_at),
            next_poll_at: Timestamp::new(next_poll_at),
            created_at: Timestamp::new(created_at),
        })
    }
}

impl TransactionRow {
    fn new(order: OrderId, nth: i32, transaction: Transaction) -> Self {
        let Transaction { id, kind, amount, provider, reference, attempt, at } = transaction;
        let kind = match kind {
            TransactionKind::Captured => "captured",
            TransactionKind::Refunded => "refunded",
        };
        Self {
            transaction_id: id.0,
            order_id: order.0,
            nth,
            kind: kind.to_owned(),
            amount: amount.minor(),
            provider: provider.name().to_owned(),
            reference,
            attempt_id: attempt.0,
            at: at.get(),
        }
    }

    fn transaction(self, currency: Currency) -> Result<Transaction, sqlx::Error> {
        let Self { transaction_id, order_id: _, nth: _, kind, amount, provider: name, reference, attempt_id, at } =
            self;
        let kind = match kind.as_str() {
            "captured" => TransactionKind::Captured,
            "refunded" => TransactionKind::Refunded,
            other => return Err(decode_error(format!("unknown kind of transaction: {other}"))),
        };
        Ok(Transaction {
            id: TransactionId(transaction_id),
            kind,
            amount: Money::from_minor(amount, currency),
            provider: provider(&name)?,
            reference,
            attempt: AttemptId(attempt_id),
            at: Timestamp::new(at),
        })
    }
}

impl RefundRow {
    fn new(order: OrderId, nth: i32, refund: Refund) -> Self {
        let Refund { id, attempt, amount, status, reason, next_attempt_at, created_at } = refund;
        let status = match status {
            RefundStatus::Pending => "pending",
            RefundStatus::Manual => "manual",
            RefundStatus::Succeeded => "succeeded",
            RefundStatus::Failed => "failed",
        };
        Self {
            refund_id: id.0,
            order_id: order.0,
            nth,
            attempt_id: attempt.0,
            amount: amount.minor(),
            status: status.to_owned(),
            reason,
            next_attempt_at: next_attempt_at.get(),
            created_at: created_at.get(),
        }
    }

    fn refund(self, currency: Currency) -> Result<Refund, sqlx::Error> {
        let Self { refund_id, order_id: _, nth: _, attempt_id, amount, status, reason, next_attempt_at, created_at } =
            self;
        let status = match status.as_str() {
            "pending" => RefundStatus::Pending,
            "manual" => RefundStatus::Manual,
            "succeeded" => RefundStatus::Succeeded,
            "failed" => RefundStatus::Failed,
            other => return Err(decode_error(format!("unknown status of a refund: {other}"))),
        };
        Ok(Refund {
            id: RefundId(refund_id),
            attempt: AttemptId(attempt_id),
            amount: Money::from_minor(amount, currency),
            status,
            reason,
            next_attempt_at: Timestamp::new(next_attempt_at),
            created_at: Timestamp::new(created_at),
        })
    }
}

impl TaskRow {
    fn new(order: OrderId, nth: i32, task: Task) -> Self {
        let Task { id, reason, refund, resolution, created_at } = task;
        Self {
            task_id: id.0,
            order_id: order.0,
            nth,
            reason,
            refund_id: refund.map(|refund| refund.0),
            resolution,
            created_at: created_at.get(),
        }
    }
}

impl From<TaskRow> for Task {
    fn from(row: TaskRow) -> Self {
        let TaskRow { task_id, order_id: _, nth: _, reason, refund_id, resolution, created_at } = row;
        Self {
            id: TaskId(task_id),
            reason,
            refund: refund_id.map(RefundId),
            resolution,
            created_at: Timestamp::new(created_at),
        }
    }
}
