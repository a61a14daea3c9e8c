//! Maps the core's values to the contract's messages.

use mart_chassis::convert::{money, time};
use mart_kernel::Timestamp;
use mart_proto::payment::v1;
use payment_core::domain::{
    Account, Attempt, AttemptStatus, Checkout, Refund, RefundStatus, Status, Task, Transaction, TransactionKind,
};

/// Maps a payment. Tasks are for admins only.
pub(super) fn payment(account: &Account, with_tasks: bool) -> v1::Payment {
    let status = match account.status() {
        Status::Open => v1::PaymentStatus::Open,
        Status::Paid => v1::PaymentStatus::Paid,
        Status::Refunded => v1::PaymentStatus::Refunded,
        Status::Closed => v1::PaymentStatus::Closed,
    };
    v1::Payment {
        order_id: account.order.0.to_string(),
        customer_id: account.customer.0.clone(),
        amount: Some(money(account.amount)),
        status: status.into(),
        captured: Some(money(account.captured())),
        refunded: Some(money(account.refunded())),
        deadline: Some(time(account.deadline)),
        attempts: account.attempts.iter().map(attempt).collect(),
        transactions: account.transactions.iter().map(transaction).collect(),
        refunds: account.refunds.iter().map(refund).collect(),
        tasks: account.tasks.iter().filter(|_| with_tasks).map(task).collect(),
        create_time: Some(time(account.created_at)),
        update_time: Some(time(account.updated_at)),
        etag: account.version.to_string(),
    }
}

pub(super) fn attempt(attempt: &Attempt) -> v1::Attempt {
    let (status, failure) = match &attempt.status {
        AttemptStatus::Opening => (v1::AttemptStatus::Opening, ""),
        AttemptStatus::Open => (v1::AttemptStatus::Open, ""),
        AttemptStatus::Captured => (v1::AttemptStatus::Captured, ""),
        AttemptStatus::Failed(reason) => (v1::AttemptStatus::Failed, reason.as_str()),
        AttemptStatus::Closed => (v1::AttemptStatus::Closed, ""),
    };
    v1::Attempt {
        attempt_id: attempt.id.0.to_string(),
        provider: attempt.provider.name().to_owned(),
        status: status.into(),
        failure: failure.to_owned(),
        checkout: attempt
            .checkout
            .as_ref()
            .filter(|_| attempt.is_open())
            .map(|open| checkout(open, attempt.expires_at)),
        create_time: Some(time(attempt.created_at)),
    }
}

fn checkout(checkout: &Checkout, expires_at: Timestamp) -> v1::Checkout {
    let field = |(name, value): &(String, String)| v1::FormField { name: name.clone(), value: value.clone() };
    v1::Checkout {
        url: checkout.url.clone(),
        fields: checkout.fields.iter().map(field).collect(),
        expire_time: Some(time(expires_at)),
    }
}

fn transaction(booked: &Transaction) -> v1::Transaction {
    let kind = match booked.kind {
        TransactionKind::Captured => v1::TransactionKind::Captured,
        TransactionKind::Refunded => v1::TransactionKind::Refunded,
    };
    v1::Transaction {
        transaction_id: booked.id.0.to_string(),
        kind: kind.into(),
        amount: Some(money(booked.amount)),
        provider: booked.provider.name().to_owned(),
        reference: booked.reference.clone(),
        attempt_id: booked.attempt.0.to_string(),
        create_time: Some(time(booked.at)),
    }
}

fn refund(refund: &Refund) -> v1::Refund {
    let status = match refund.status {
        // The API does not show whether a refund is manual.
        RefundStatus::Pending | RefundStatus::Manual => v1::RefundStatus::Pending,
        RefundStatus::Succeeded => v1::RefundStatus::Succeeded,
        RefundStatus::Failed => v1::RefundStatus::Failed,
    };
    v1::Refund {
        refund_id: refund.id.0.to_string(),
        attempt_id: refund.attempt.0.to_string(),
        amount: Some(money(refund.amount)),
        status: status.into(),
        reason: refund.reason.clone(),
        create_time: Some(time(refund.created_at)),
    }
}

fn task(task: &Task) -> v1::Task {
    v1::Task {
        task_id: task.id.0.to_string(),
        reason: task.reason.clone(),
        refund_id: task.refund.map(|refund| refund.0.to_string()).unwrap_or_default(),
        resolution: task.resolution.clone().unwrap_or_default(),
        create_time: Some(time(task.created_at)),
    }
}
