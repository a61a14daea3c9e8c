//! The payment of one order: attempts, transactions, refunds and tasks.

use mart_kernel::{Cursor, Money, Timestamp, Version};
use uuid::Uuid;

use super::{Provider, Subject};

/// The order's id, which is also the payment's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub Uuid);

/// The customer who pays: the subject of their tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerId(pub String);

/// The id of an attempt, published as the payment id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub Uuid);

/// The id of a booked transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub Uuid);

/// The id of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefundId(pub Uuid);

/// The id of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub Uuid);

/// The payer's contact, which some providers require, and the country of the delivery.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Payer {
    /// The email address; empty if it is unknown.
    pub email: String,
    /// The phone number in E.164 form; empty if there is none.
    pub phone: String,
    /// The country of the delivery as ISO 3166-1 alpha-2; empty if it is unknown.
    pub country: String,
}

impl std::fmt::Debug for Payer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Payer")
    }
}

/// The payment of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The order.
    pub order: OrderId,
    /// The number of its events.
    pub version: Version,
    /// The customer.
    pub customer: CustomerId,
    /// The payer's contact.
    pub payer: Payer,
    /// The amount to pay.
    pub amount: Money,
    /// The time until which an attempt can be started.
    pub deadline: Timestamp,
    /// Whether the order was cancelled.
    pub closed: bool,
    /// The attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// The booked transactions, oldest first. They never change.
    pub transactions: Vec<Transaction>,
    /// The refunds, oldest first.
    pub refunds: Vec<Refund>,
    /// The tasks for operators, oldest first.
    pub tasks: Vec<Task>,
    /// When the payment was opened.
    pub created_at: Timestamp,
    /// When the payment was last changed.
    pub updated_at: Timestamp,
}

/// The status of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The order can be paid.
    Open,
    /// The order is paid.
    Paid,
    /// The whole amount was refunded.
    Refunded,
    /// The order was cancelled without a payment.
    Closed,
}

/// An attempt to pay at one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The attempt's id, and the idempotency key of its checkout at the provider.
    pub id: AttemptId,
    /// The provider.
    pub provider: Provider,
    /// The status.
    pub status: AttemptStatus,
    /// The provider's reference; empty until it has responded.
    pub reference: String,
    /// The checkout; `None` until the provider has responded.
    pub checkout: Option<Checkout>,
    /// When the checkout expires: as requested, then as the provider reports it.
    pub expires_at: Timestamp,
    /// When the attempt is polled next.
    pub next_poll_at: Timestamp,
    /// When the attempt was started.
    pub created_at: Timestamp,
}

/// The status of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptStatus {
    /// The checkout was requested and is not open yet.
    Opening,
    /// The customer can pay.
    Open,
    /// The money was captured.
    Captured,
    /// The provider reported a failure, with a reason for the customer.
    Failed(String),
    /// The attempt ended without money.
    Closed,
}

/// The page where a customer pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The URL.
    pub url: String,
    /// The fields of the form to submit to the URL; empty if the customer is redirected there.
    pub fields: Vec<(String, String)>,
}

/// A booked transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The id.
    pub id: TransactionId,
    /// The kind.
    pub kind: TransactionKind,
    /// The amount, above zero.
    pub amount: Money,
    /// The provider that reported it.
    pub provider: Provider,
    /// The provider's reference. With provider and kind it is unique.
    pub reference: String,
    /// The attempt of the captured money.
    pub attempt: AttemptId,
    /// When it was booked.
    pub at: Timestamp,
}

/// The kind of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionKind {
    /// Money was captured.
    Captured,
    /// Money was refunded.
    Refunded,
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The refund's id, and its idempotency key at the provider.
    pub id: RefundId,
    /// The attempt of the captured money.
    pub attempt: AttemptId,
    /// The amount.
    pub amount: Money,
    /// The status.
    pub status: RefundStatus,
    /// The reason.
    pub reason: String,
    /// When the provider is called next.
    pub next_attempt_at: Timestamp,
    /// When the refund was requested.
    pub created_at: Timestamp,
}

/// The status of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundStatus {
    /// The refund was or will be sent to the provider.
    Pending,
    /// An operator has to refund manually.
    Manual,
    /// The money was refunded.
    Succeeded,
    /// The money was not refunded.
    Failed,
}

/// A task for an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The id.
    pub id: TaskId,
    /// The discrepancy, in words for the operator.
    pub reason: String,
    /// The manual refund, if the task is about one.
    pub refund: Option<RefundId>,
    /// The resolution; `None` while the task is open.
    pub resolution: Option<String>,
    /// When the task was created.
    pub created_at: Timestamp,
}

impl Account {
    /// Returns the captured sum.
    pub fn captured(&self) -> Money {
        self.sum(TransactionKind::Captured)
    }

    /// Returns the refunded sum.
    pub fn refunded(&self) -> Money {
        self.sum(TransactionKind::Refunded)
    }

    fn sum(&self, kind: TransactionKind) -> Money {
        let of_kind = self.transactions.iter().filter(|booked| booked.kind == kind);
        Money::from_minor(sum(of_kind.map(|booked| booked.amount)), self.amount.currency())
    }

    /// Returns the status.
    pub fn status(&self) -> Status {
        let (captured, refunded) = (self.captured().minor(), self.refunded().minor());
        match (captured > 0, captured > refunded) {
            (true, true) => Status::Paid,
            (true, false) => Status::Refunded,
            (false, _) if self.closed => Status::Closed,
            (false, _) => Status::Open,
        }
    }

    /// Returns the amount of an attempt in minor units that can still be refunded. Pending and manual refunds count as refunded.
    pub fn refundable(&self, attempt: AttemptId) -> i64 {
        let captured = self.transactions.iter().filter(|booked| booked.attempt == attempt);
        let captured = captured.filter(|booked| booked.kind == TransactionKind::Captured);
        let refunds = self.refunds.iter().filter(|refund| refund.attempt == attempt);
        let refunds = refunds.filter(|refund| refund.status != RefundStatus::Failed);
        sum(captured.map(|booked| booked.amount)).saturating_sub(sum(refunds.map(|refund| refund.amount)))
    }

    /// Returns whether a task is open.
    pub fn needs_review(&self) -> bool {
        self.tasks.iter().any(|task| task.resolution.is_none())
    }

    /// Returns the attempt with this id.
    pub fn attempt(&self, id: AttemptId) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.id == id)
    }

    /// Returns the attempt that a provider's event is about, if the payment has it.
    pub fn attempt_of(&self, provider: Provider, subject: &Subject) -> Option<&Attempt> {
        let id = match subject {
            Subject::Attempt(reference) => {
                let matches = |attempt: &&Attempt| attempt.provider == provider && attempt.reference == *reference;
                return self.attempts.iter().find(matches);
            }
            Subject::Money(reference) => {
                let booked = self.transactions.iter().find(|booked| {
                    booked.kind == TransactionKind::Captured
                        && booked.provider == provider
                        && booked.reference == *reference
                });
                booked?.attempt
            }
        };
        self.attempt(id)
    }

    /// Returns the position in a list.
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.order.0 }
    }
}

impl Attempt {
    /// Returns whether the provider may still report a capture.
    pub fn is_open(&self) -> bool {
        matches!(self.status, AttemptStatus::Opening | AttemptStatus::Open)
    }
}

/// Returns the sum in minor units. Each amount has at most fifteen digits, so thousands of them fit. A larger reported sum
/// saturates.
fn sum(amounts: impl Iterator<Item = Money>) -> i64 {
    amounts.fold(0, |sum, amount| sum.saturating_add(amount.minor()))
}
