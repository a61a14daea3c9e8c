//! All that is known of one order's money.

use mart_kernel::{Cursor, Money, Timestamp, Version};
use uuid::Uuid;

use super::{Provider, Subject};

/// The order that the money is for, which is the account's own id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub Uuid);

/// Who pays: the subject of his tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerId(pub String);

/// The id of an attempt, which others know as the payment id.
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

/// What is known of who pays: how he can be reached, which some providers want to know, and where the order goes.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Payer {
    /// His mailbox; empty where it is not known.
    pub email: String,
    /// His phone as E.164; empty where he has none.
    pub phone: String,
    /// The country that the order goes to, as ISO 3166-1 has it; empty where it is not known.
    pub country: String,
}

impl std::fmt::Debug for Payer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Payer")
    }
}

/// The money of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The order.
    pub order: OrderId,
    /// Counts the events.
    pub version: Version,
    /// Who pays.
    pub customer: CustomerId,
    /// What is known of him.
    pub payer: Payer,
    /// How much is to be paid.
    pub amount: Money,
    /// Until when an attempt can be started.
    pub deadline: Timestamp,
    /// Whether the order was cancelled.
    pub closed: bool,
    /// The attempts, the oldest first.
    pub attempts: Vec<Attempt>,
    /// What was booked, the oldest first; never changed.
    pub transactions: Vec<Transaction>,
    /// What goes back, the oldest first.
    pub refunds: Vec<Refund>,
    /// What a person has to decide, the oldest first.
    pub tasks: Vec<Task>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Where a payment is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It can be paid.
    Open,
    /// Its money is here.
    Paid,
    /// All of its money went back.
    Refunded,
    /// Its order was cancelled, and no money is here.
    Closed,
}

/// One try to pay, at one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The id; the provider knows it, too, so that it is opened there once.
    pub id: AttemptId,
    /// The provider.
    pub provider: Provider,
    /// Where it is in its life.
    pub status: AttemptStatus,
    /// What the provider calls it; empty until it has answered.
    pub reference: String,
    /// Where the customer pays; `None` until the provider has answered.
    pub checkout: Option<Checkout>,
    /// When nobody can pay by it any more: as the mart wants it, and then as the provider says.
    pub expires_at: Timestamp,
    /// When the provider is asked subject it next.
    pub next_poll_at: Timestamp,
    /// When it was started.
    pub created_at: Timestamp,
}

/// Where an attempt is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptStatus {
    /// The provider was asked for a checkout and has not answered yet.
    Opening,
    /// The customer can pay.
    Open,
    /// The money came in.
    Captured,
    /// The provider says that it failed; reason, in words for the customer.
    Failed(String),
    /// It ended without money.
    Closed,
}

/// Where a customer pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The address.
    pub url: String,
    /// The fields of a form to send there; none for an address to go to.
    pub fields: Vec<(String, String)>,
}

/// Money that was booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The id.
    pub id: TransactionId,
    /// What happened to it.
    pub kind: TransactionKind,
    /// How much: always more than nothing.
    pub amount: Money,
    /// The provider that says so.
    pub provider: Provider,
    /// The provider's own id of it. Together with provider and kind it is booked once.
    pub reference: String,
    /// The attempt that the money came in by.
    pub attempt: AttemptId,
    /// When it was booked.
    pub at: Timestamp,
}

/// What happened to money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionKind {
    /// It came in.
    Captured,
    /// It went back.
    Refunded,
}

/// Money that goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The id; the provider knows it, too, so that it is made there once.
    pub id: RefundId,
    /// The attempt that the money came in by.
    pub attempt: AttemptId,
    /// How much.
    pub amount: Money,
    /// Where it is.
    pub status: RefundStatus,
    /// Why it goes back.
    pub reason: String,
    /// When the provider is asked for it next.
    pub next_attempt_at: Timestamp,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// Where a refund is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundStatus {
    /// The provider was asked, or will be.
    Pending,
    /// A person has to make it by hand.
    Manual,
    /// The money went back.
    Succeeded,
    /// It did not go back.
    Failed,
}

/// Something that a person has to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The id.
    pub id: TaskId,
    /// What does not fit, in words for the operator.
    pub reason: String,
    /// The refund that has to be made by hand, where it is subject one.
    pub refund: Option<RefundId>,
    /// What was done; `None` while it is open.
    pub resolution: Option<String>,
    /// When it came up.
    pub created_at: Timestamp,
}

impl Account {
    /// How much has come in.
    pub fn captured(&self) -> Money {
        self.sum(TransactionKind::Captured)
    }

    /// How much went back.
    pub fn refunded(&self) -> Money {
        self.sum(TransactionKind::Refunded)
    }

    fn sum(&self, kind: TransactionKind) -> Money {
        let of_kind = self.transactions.iter().filter(|booked| booked.kind == kind);
        Money::from_minor(sum(of_kind.map(|booked| booked.amount)), self.amount.currency())
    }

    /// Where it is in its life.
    pub fn status(&self) -> Status {
        let (captured, refunded) = (self.captured().minor(), self.refunded().minor());
        match (captured > 0, captured > refunded) {
            (true, true) => Status::Paid,
            (true, false) => Status::Refunded,
            (false, _) if self.closed => Status::Closed,
            (false, _) => Status::Open,
        }
    }

    /// How much of an attempt's money can still go back, in minor units: what is on its way counts as gone.
    pub fn refundable(&self, attempt: AttemptId) -> i64 {
        let captured = self.transactions.iter().filter(|booked| booked.attempt == attempt);
        let captured = captured.filter(|booked| booked.kind == TransactionKind::Captured);
        let gone = self.refunds.iter().filter(|refund| refund.attempt == attempt);
        let gone = gone.filter(|refund| refund.status != RefundStatus::Failed);
        sum(captured.map(|booked| booked.amount)).saturating_sub(sum(gone.map(|refund| refund.amount)))
    }

    /// Whether a person has to decide something.
    pub fn needs_review(&self) -> bool {
        self.tasks.iter().any(|task| task.resolution.is_none())
    }

    /// The attempt of an id.
    pub fn attempt(&self, id: AttemptId) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.id == id)
    }

    /// The attempt that a provider's event is subject, where the account knows it.
    pub fn attempt_of(&self, provider: Provider, subject: &Subject) -> Option<&Attempt> {
        let id = match subject {
            Subject::Attempt(reference) => {
                let named = |attempt: &&Attempt| attempt.provider == provider && attempt.reference == *reference;
                return self.attempts.iter().find(named);
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

    /// Its place in a list.
    pub fn place(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.order.0 }
    }
}

/// The sum in minor units. Each amount has fifteen digits at most, so thousands of them fit; a provider that reports more would find
/// the largest number there is.
fn sum(amounts: impl Iterator<Item = Money>) -> i64 {
    amounts.fold(0, |sum, amount| sum.saturating_add(amount.minor()))
}
