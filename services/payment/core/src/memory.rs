//! The in-memory store, for scenarios and tests.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mart_kernel::testing::Receipts;
use mart_kernel::{Cursor, EventEnvelope, Receipt, StoreError, Timestamp};

use crate::domain::{
    Account, AttemptId, Callback, CallbackId, Change, OrderId, PaymentEvent, Provider, ProviderEventKind, RefundId,
    RefundStatus, Subject,
};
use crate::ports::Store;

/// All committed data. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    accounts: BTreeMap<OrderId, Account>,
    /// The callbacks with the time of the next attempt, and whether they were processed.
    callbacks: BTreeMap<CallbackId, (Callback, Timestamp, bool)>,
    receipts: Receipts,
    events: Vec<EventEnvelope<PaymentEvent>>,
}

impl MemoryStore {
    /// Returns the committed events in their order.
    pub fn events(&self) -> Vec<EventEnvelope<PaymentEvent>> {
        self.state().events.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    async fn decide<T: Send + 'static>(
        &self,
        order: OrderId,
        receipt: Option<Receipt>,
        decide: impl FnOnce(Option<Account>) -> (Change, T) + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        let mut state = self.state();
        if receipt.is_some_and(|receipt| !state.receipts.insert(receipt)) {
            return Ok(None);
        }
        let (Change { account, events, processed }, outcome) = decide(state.accounts.get(&order).cloned());
        state.accounts.extend(account.map(|account| (order, account)));
        state.events.extend(events);
        for id in processed {
            if let Some((.., processed)) = state.callbacks.get_mut(&id) {
                *processed = true;
            }
        }
        Ok(Some(outcome))
    }

    async fn insert_callback(&self, callback: &Callback) -> Result<bool, StoreError> {
        let mut state = self.state();
        let Entry::Vacant(entry) = state.callbacks.entry(callback.id.clone()) else { return Ok(false) };
        entry.insert((callback.clone(), callback.at, false));
        Ok(true)
    }

    async fn due_callbacks(&self, now: Timestamp, limit: usize) -> Result<Vec<Callback>, StoreError> {
        let state = self.state();
        let due =
            state.callbacks.values().filter(|(_, next_attempt_at, processed)| !processed && *next_attempt_at <= now);
        let mut due: Vec<(Timestamp, Callback)> =
            due.map(|(callback, next_attempt_at, _)| (*next_attempt_at, callback.clone())).collect();
        due.sort_by(|(one, first), (other, second)| (one, &first.id).cmp(&(other, &second.id)));
        Ok(due.into_iter().map(|(_, callback)| callback).take(limit).collect())
    }

    async fn reschedule(&self, id: &CallbackId, until: Timestamp) -> Result<(), StoreError> {
        if let Some((_, next_attempt_at, _)) = self.state().callbacks.get_mut(id) {
            *next_attempt_at = until;
        }
        Ok(())
    }

    async fn find_by_subject(
        &self,
        provider: Provider,
        subject: &Subject,
    ) -> Result<Option<(OrderId, AttemptId)>, StoreError> {
        let state = self.state();
        let known = |subject: &Subject| {
            let find = |account: &Account| Some((account.order, account.attempt_of(provider, subject)?.id));
            state.accounts.values().find_map(find)
        };
        let is_capture = |callback: &Callback| match (&callback.event.kind, subject) {
            (ProviderEventKind::Captured { reference, .. }, Subject::Money(money)) => {
                callback.event.provider == provider && reference == money
            }
            _ => false,
        };
        let capture = || state.callbacks.values().find(|(callback, ..)| is_capture(callback));
        Ok(known(subject).or_else(|| known(&capture()?.0.event.subject)))
    }

    async fn find(&self, order: OrderId) -> Result<Option<Account>, StoreError> {
        Ok(self.state().accounts.get(&order).cloned())
    }

    async fn list(&self, needs_review: bool, after: Option<Cursor>, limit: usize) -> Result<Vec<Account>, StoreError> {
        let state = self.state();
        let listed = |account: &&Account| {
            (!needs_review || account.needs_review()) && after.is_none_or(|after| account.cursor() < after)
        };
        let mut found: Vec<Account> = state.accounts.values().filter(listed).cloned().collect();
        found.sort_by_key(|account| std::cmp::Reverse(account.cursor()));
        found.truncate(limit);
        Ok(found)
    }

    async fn due_attempts(&self, now: Timestamp, limit: usize) -> Result<Vec<(OrderId, AttemptId)>, StoreError> {
        let state = self.state();
        let attempts = state.accounts.values().flat_map(|account| {
            account.attempts.iter().map(|attempt| (attempt.next_poll_at, account.order, attempt.id, attempt.is_open()))
        });
        let mut due: Vec<_> = attempts.filter(|(at, _, _, open)| *open && *at <= now).collect();
        due.sort();
        Ok(due.into_iter().map(|(_, order, id, _)| (order, id)).take(limit).collect())
    }

    async fn due_refunds(&self, now: Timestamp, limit: usize) -> Result<Vec<(OrderId, RefundId)>, StoreError> {
        let state = self.state();
        let refunds = state.accounts.values().flat_map(|account| {
            let pending = account.refunds.iter().filter(|refund| refund.status == RefundStatus::Pending);
            pending.map(|refund| (refund.next_attempt_at, account.order, refund.id))
        });
        let mut due: Vec<_> = refunds.filter(|(at, ..)| *at <= now).collect();
        due.sort();
        Ok(due.into_iter().map(|(_, order, id)| (order, id)).take(limit).collect())
    }
}
