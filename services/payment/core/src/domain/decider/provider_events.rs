//! Applies the events of a provider, and books captured money.

use mart_kernel::Money;

use super::{Match, PaymentDecider, format_money};
use crate::domain::events::{PaymentCaptured, PaymentFailed};
use crate::domain::{
    Attempt, AttemptId, AttemptStatus, CallbackId, PaymentEvent, ProviderEventKind, RefundId, TransactionKind,
};

impl PaymentDecider {
    /// Applies a provider's event. A repeated or an older event has no effect.
    pub fn apply(&mut self, attempt: AttemptId, kind: &ProviderEventKind, callback: Option<&CallbackId>) -> Match {
        let Some(attempt) = self.attempt(attempt).cloned() else { return Match::Unmatched };
        self.processed.extend(callback.cloned());
        match kind {
            ProviderEventKind::Captured { reference, reported_amount, amount } => {
                self.captured(&attempt, reference, reported_amount, *amount);
            }
            ProviderEventKind::Failed(reason) if attempt.is_open() => {
                self.set(attempt.id, AttemptStatus::Failed(reason.clone()));
                let (order, reason) = (self.order(), reason.clone());
                self.record_event(PaymentEvent::PaymentFailed(PaymentFailed { order, attempt: attempt.id, reason }));
            }
            ProviderEventKind::CheckoutExpired if attempt.is_open() => self.set(attempt.id, AttemptStatus::Closed),
            // The attempt has ended already.
            ProviderEventKind::Failed(_) | ProviderEventKind::CheckoutExpired => {}
            ProviderEventKind::Refunded { refund, .. } if self.is_failed(*refund) => self.retry_refund(*refund),
            ProviderEventKind::Refunded { refund, reference } => self.refunded(*refund, reference),
            ProviderEventKind::ExternalRefund { refund, reference, reported_amount, amount } => {
                self.externally_refunded(&attempt, *refund, reference, reported_amount, *amount);
            }
            ProviderEventKind::RefundFailed { refund, reason } if self.known_refund(*refund).is_some() => {
                self.refund_failed(*refund, reason);
            }
            // An external refund failed. The event of the refund itself may not be processed yet.
            ProviderEventKind::RefundFailed { reason, .. } => {
                let reason = format!("{} reports that a refund made there failed: {reason}", attempt.provider.name());
                self.require_review(attempt.id, &reason, None);
            }
            ProviderEventKind::NeedsReview(reason) => {
                let reason = format!("{}: {reason}", attempt.provider.name());
                self.require_review(attempt.id, &reason, None);
            }
        }
        Match::Matched
    }

    /// Books captured money. Only the first capture that matches pays the order; a further one is refunded, and one that does not
    /// match becomes a task.
    fn captured(&mut self, attempt: &Attempt, reference: &str, reported_amount: &str, amount: Option<Money>) {
        let Some(account) = &self.account else { return };
        let (expected, paid) = (account.amount, account.captured().minor() > 0);
        if self.booked(TransactionKind::Captured, attempt.provider, reference) {
            return;
        }
        if amount != Some(expected) {
            let (provider, due) = (attempt.provider.name(), format_money(expected));
            let reason = format!(
                "{provider} reports a payment of {reported_amount} ({reference}), but {due} is due; nothing was booked"
            );
            // The checkout is used up, so that the next start opens another one.
            if attempt.is_open() {
                self.set(attempt.id, AttemptStatus::Closed);
            }
            self.require_review(attempt.id, &reason, None);
            return;
        }
        self.set(attempt.id, AttemptStatus::Captured);
        self.book(TransactionKind::Captured, attempt.provider, reference, expected, attempt.id);
        if paid {
            let id = RefundId(self.ids.next());
            self.add_refund(id, attempt.id, expected, "the order was already paid".to_owned());
        } else {
            let (order, attempt, provider) = (self.order(), attempt.id, attempt.provider);
            self.record_event(PaymentEvent::PaymentCaptured(PaymentCaptured {
                order,
                attempt,
                amount: expected,
                provider,
            }));
        }
    }
}
