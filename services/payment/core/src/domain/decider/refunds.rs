//! Requests refunds, and books or fails them as the provider reports.

use mart_kernel::{Money, Timestamp};

use super::{Match, PaymentDecider, format_money};
use crate::domain::events::PaymentRefunded;
use crate::domain::{
    Attempt, AttemptId, AttemptStatus, PaymentEvent, Provider, Refund, RefundId, RefundStatus, TransactionKind,
};

/// The errors of requesting a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefundRejection {
    /// The payment does not exist.
    #[error("the payment does not exist")]
    NotFound,
    /// The amount exceeds what can be refunded.
    #[error("the amount exceeds what can be refunded")]
    TooLarge,
}

impl PaymentDecider {
    /// Creates the refund that the order requests. Returns whether the money is captured yet. A repeated request has no effect.
    pub fn refund_order(&mut self, id: RefundId, attempt: AttemptId, amount: Money) -> Match {
        let Some(account) = &self.account else { return Match::Unmatched };
        if account.attempt(attempt).is_none_or(|attempt| attempt.status != AttemptStatus::Captured) {
            return Match::Unmatched;
        }
        if account.refunds.iter().any(|refund| refund.id == id) {
            return Match::Matched;
        }
        let left = account.refundable(attempt);
        if amount.currency() == account.amount.currency() && amount.minor() <= left {
            self.add_refund(id, attempt, amount, "requested by the order".to_owned());
        } else if left < account.amount.minor() {
            // An admin has refunded a part already, so the rest is refunded.
            if left > 0 {
                let rest = Money::from_minor(left, account.amount.currency());
                self.add_refund(id, attempt, rest, "requested by the order".to_owned());
            }
        } else {
            let reason =
                format!("the order requests a refund of {}, which exceeds the captured amount", format_money(amount));
            self.require_review(attempt, &reason, None);
        }
        Match::Matched
    }

    /// Creates the refund that an admin requests: the whole refundable amount or a part. A repeated request has no effect.
    pub fn refund(&mut self, id: RefundId, amount: Option<Money>, reason: String) -> Result<(), RefundRejection> {
        let account = self.account.as_ref().ok_or(RefundRejection::NotFound)?;
        if account.refunds.iter().any(|refund| refund.id == id) {
            return Ok(());
        }
        let captured = account.attempts.iter().filter(|attempt| attempt.status == AttemptStatus::Captured);
        let largest = captured.map(|attempt| (account.refundable(attempt.id), attempt.id)).max();
        let (left, attempt) = largest.filter(|(left, _)| *left > 0).ok_or(RefundRejection::TooLarge)?;
        let amount = amount.unwrap_or(Money::from_minor(left, account.amount.currency()));
        if amount.currency() != account.amount.currency() || amount.minor() > left || amount.minor() <= 0 {
            return Err(RefundRejection::TooLarge);
        }
        self.add_refund(id, attempt, amount, reason);
        Ok(())
    }

    pub(super) fn is_failed(&self, id: RefundId) -> bool {
        self.known_refund(id).is_some_and(|(status, ..)| status == RefundStatus::Failed)
    }

    /// Sends a failed refund again, because the provider also reports it as succeeded. Only the provider knows which report is
    /// newer.
    pub(super) fn retry_refund(&mut self, id: RefundId) {
        self.settle_refund(id, RefundStatus::Pending);
        self.schedule_refund(id, self.now);
    }

    /// Books a refund that the provider made, now or before.
    pub fn refunded(&mut self, id: RefundId, reference: &str) {
        let Some((status, amount, attempt, provider)) = self.known_refund(id) else { return };
        if status == RefundStatus::Succeeded || self.booked(TransactionKind::Refunded, provider, reference) {
            return;
        }
        self.settle_refund(id, RefundStatus::Succeeded);
        self.book(TransactionKind::Refunded, provider, reference, amount, attempt);
        let order = self.order();
        self.record_event(PaymentEvent::PaymentRefunded(PaymentRefunded { order, attempt, amount }));
        if self.account.as_ref().is_some_and(|account| account.refundable(attempt) < 0) {
            let reason = format!(
                "{} refunded {} (refund {}), and the refunds now exceed the captured amount",
                provider.name(),
                format_money(amount),
                id.0
            );
            self.require_review(attempt, &reason, None);
        }
    }

    /// Books a refund that was made at the provider without our request.
    pub(super) fn externally_refunded(
        &mut self,
        attempt: &Attempt,
        id: RefundId,
        reference: &str,
        reported_amount: &str,
        amount: Option<Money>,
    ) {
        let Some(account) = &self.account else { return };
        if self.booked(TransactionKind::Refunded, attempt.provider, reference) {
            return;
        }
        let provider = attempt.provider.name();
        if self.known_refund(id).is_none() {
            let is_captured = attempt.status == AttemptStatus::Captured;
            let is_valid =
                |amount: &Money| is_captured && amount.currency() == account.amount.currency() && amount.minor() > 0;
            let Some(amount) = amount.filter(is_valid) else {
                let reason =
                    format!("{provider} reports a refund of {reported_amount} ({reference}); nothing was booked");
                self.require_review(attempt.id, &reason, None);
                return;
            };
            self.add_refund(id, attempt.id, amount, format!("made at {provider}"));
            self.reduce_pending_refunds(attempt.id, id);
        }
        self.refunded(id, reference);
    }

    /// Reduces pending refunds, newest first, if an external refund leaves less than they request. The provider would reject them
    /// otherwise.
    fn reduce_pending_refunds(&mut self, attempt: AttemptId, external: RefundId) {
        while let Some(account) = &self.account {
            let surplus = -account.refundable(attempt);
            let pending = |refund: &&Refund| {
                refund.attempt == attempt && refund.status == RefundStatus::Pending && refund.id != external
            };
            let Some(newest) = account.refunds.iter().rfind(pending).filter(|_| surplus > 0).cloned() else { return };
            self.settle_refund(newest.id, RefundStatus::Failed);
            let left = newest.amount.minor() - surplus;
            if left > 0 {
                let (id, left) = (RefundId(self.ids.next()), Money::from_minor(left, newest.amount.currency()));
                self.add_refund(id, attempt, left, newest.reason);
            }
        }
    }

    /// Records a refund that the provider rejected or could not deliver.
    pub fn refund_failed(&mut self, id: RefundId, reason: &str) {
        let Some((status, amount, attempt, provider)) = self.known_refund(id) else { return };
        let reason = match status {
            RefundStatus::Failed => return,
            RefundStatus::Succeeded => {
                format!(
                    "{} reported the refund of {} (refund {}) as succeeded and now reports that it failed: {reason}",
                    provider.name(),
                    format_money(amount),
                    id.0
                )
            }
            RefundStatus::Pending | RefundStatus::Manual => {
                self.settle_refund(id, RefundStatus::Failed);
                format!(
                    "{} rejected the refund of {} (refund {}): {reason}",
                    provider.name(),
                    format_money(amount),
                    id.0
                )
            }
        };
        self.require_review(attempt, &reason, None);
    }

    /// Turns a refund into a task, because the provider has no refunds.
    pub fn require_manual_refund(&mut self, id: RefundId) {
        let Some((RefundStatus::Pending, amount, attempt, provider)) = self.known_refund(id) else { return };
        self.settle_refund(id, RefundStatus::Manual);
        let reason = format!("refund {} manually at {}, then resolve this task", format_money(amount), provider.name());
        self.require_review(attempt, &reason, Some(id));
    }

    /// Schedules the next request of a refund without a response.
    pub fn schedule_refund_retry(&mut self, id: RefundId) {
        self.schedule_refund(id, Timestamp::new(self.now.get() + self.policy.refund_retry_delay));
    }

    fn schedule_refund(&mut self, id: RefundId, at: Timestamp) {
        if let Some(account) = &mut self.account
            && let Some(refund) = account.refunds.iter_mut().find(|refund| refund.id == id)
        {
            refund.next_attempt_at = at;
        }
    }

    pub(super) fn add_refund(&mut self, id: RefundId, attempt: AttemptId, amount: Money, reason: String) {
        let now = self.now;
        if let Some(account) = &mut self.account {
            let status = RefundStatus::Pending;
            account.refunds.push(Refund { id, attempt, amount, status, reason, next_attempt_at: now, created_at: now });
        }
    }

    /// Returns a refund's status, amount, attempt and provider.
    pub(super) fn known_refund(&self, id: RefundId) -> Option<(RefundStatus, Money, AttemptId, Provider)> {
        let account = self.account.as_ref()?;
        let refund = account.refunds.iter().find(|refund| refund.id == id)?;
        Some((refund.status, refund.amount, refund.attempt, account.attempt(refund.attempt)?.provider))
    }

    pub(super) fn settle_refund(&mut self, id: RefundId, status: RefundStatus) {
        if let Some(account) = &mut self.account
            && let Some(refund) = account.refunds.iter_mut().find(|refund| refund.id == id)
        {
            refund.status = status;
        }
    }
}
