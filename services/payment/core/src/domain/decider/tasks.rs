//! Creates and resolves the tasks of operators.

use super::PaymentDecider;
use crate::domain::events::PaymentReviewRequired;
use crate::domain::{AttemptId, PaymentEvent, RefundId, RefundStatus, Task, TaskId};

/// The longest reason of a task, in characters.
const MAX_REASON_LENGTH: usize = 1_000;

impl PaymentDecider {
    /// Resolves a task. Its refund is booked if the operator refunded it, and fails otherwise. Returns whether the task is open.
    pub fn resolve(&mut self, id: TaskId, resolution: String, refunded: bool) -> bool {
        let Some(account) = &mut self.account else { return false };
        let task = account.tasks.iter_mut().find(|task| task.id == id && task.resolution.is_none());
        let Some(task) = task else { return false };
        task.resolution = Some(resolution);
        if let Some(refund) = task.refund {
            let open = self.known_refund(refund).is_some_and(|(status, ..)| status == RefundStatus::Manual);
            if refunded {
                self.refunded(refund, &format!("manual {}", id.0));
            } else if open {
                self.settle_refund(refund, RefundStatus::Failed);
            }
        }
        true
    }

    /// Creates a task for an operator, once for the same reason.
    pub(super) fn require_review(&mut self, attempt: AttemptId, reason: &str, refund: Option<RefundId>) {
        let (id, now, order) = (TaskId(self.ids.next()), self.now, self.order());
        // The reason contains text of the provider and is part of an event.
        let reason: String = reason.chars().filter(|letter| !letter.is_control()).take(MAX_REASON_LENGTH).collect();
        let Some(account) = &mut self.account else { return };
        if account.tasks.iter().any(|task| task.reason == reason && task.refund == refund) {
            return;
        }
        account.tasks.push(Task { id, reason: reason.clone(), refund, resolution: None, created_at: now });
        self.record_event(PaymentEvent::PaymentReviewRequired(PaymentReviewRequired { order, attempt, reason }));
    }
}
