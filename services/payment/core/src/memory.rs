//! A store in memory that behaves as the real one, for features and the tests of other services.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mart_kernel::{EventEnvelope, Cursor, Receipt, Timestamp, StoreError};

use crate::domain::{
    About, Account, AttemptId, Callback, CallbackId, Change, Fact, OrderId, Provider, RefundId, RefundStatus, What,
};
use crate::ports::Store;

/// Everything that was decided. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    accounts: BTreeMap<OrderId, Account>,
    /// Callbacks, until when they are put off, and whether they were heard.
    callbacks: BTreeMap<CallbackId, (Callback, Timestamp, bool)>,
    receipts: HashMap<(String, String), Receipt>,
    events: Vec<EventEnvelope<Fact>>,
}

impl MemoryStore {
    /// The events that were committed, in their order.
    pub fn events(&self) -> Vec<EventEnvelope<Fact>> {
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
        if let Some(receipt) = receipt {
            let key = (receipt.scope.clone(), receipt.key.clone());
            if state.receipts.contains_key(&key) {
                return Ok(None);
            }
            state.receipts.insert(key, receipt);
        }
        let (Change { account, events, heard }, outcome) = decide(state.accounts.get(&order).cloned());
        state.accounts.extend(account.map(|account| (order, account)));
        state.events.extend(events);
        for id in heard {
            if let Some((.., heard)) = state.callbacks.get_mut(&id) {
                *heard = true;
            }
        }
        Ok(Some(outcome))
    }

    async fn keep(&self, callback: &Callback) -> Result<bool, StoreError> {
        let mut state = self.state();
        let Entry::Vacant(place) = state.callbacks.entry(callback.id.clone()) else { return Ok(false) };
        place.insert((callback.clone(), callback.at, false));
        Ok(true)
    }

    async fn unheard(&self, until: Timestamp, limit: usize) -> Result<Vec<Callback>, StoreError> {
        let state = self.state();
        let unheard = state.callbacks.values().filter(|(_, try_at, heard)| !heard && *try_at <= until);
        let mut unheard: Vec<(Timestamp, Callback)> =
            unheard.map(|(callback, try_at, _)| (*try_at, callback.clone())).collect();
        unheard.sort_by(|(one, first), (other, second)| (one, &first.id).cmp(&(other, &second.id)));
        Ok(unheard.into_iter().map(|(_, callback)| callback).take(limit).collect())
    }

    async fn put_off(&self, id: &CallbackId, until: Timestamp) -> Result<(), StoreError> {
        if let Some((_, try_at, _)) = self.state().callbacks.get_mut(id) {
            *try_at = until;
        }
        Ok(())
    }

    async fn attempt_of(&self, provider: Provider, about: &About) -> Result<Option<(OrderId, AttemptId)>, StoreError> {
        let state = self.state();
        let known = |about: &About| {
            let of = |account: &Account| Some((account.order, account.attempt_of(provider, about)?.id));
            state.accounts.values().find_map(of)
        };
        let told = |callback: &Callback| match (&callback.news.what, about) {
            (What::Captured { reference, .. }, About::Money(named)) => {
                callback.news.provider == provider && reference == named
            }
            _ => false,
        };
        let told = || state.callbacks.values().find(|(callback, ..)| told(callback));
        Ok(known(about).or_else(|| known(&told()?.0.news.about)))
    }

    async fn find(&self, order: OrderId) -> Result<Option<Account>, StoreError> {
        Ok(self.state().accounts.get(&order).cloned())
    }

    async fn list(
        &self,
        needs_review: bool,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Account>, StoreError> {
        let state = self.state();
        let listed = |account: &&Account| {
            (!needs_review || account.needs_review()) && after.is_none_or(|after| account.place() < after)
        };
        let mut found: Vec<Account> = state.accounts.values().filter(listed).cloned().collect();
        found.sort_by_key(|account| std::cmp::Reverse(account.place()));
        found.truncate(limit);
        Ok(found)
    }

    async fn due_attempts(&self, now: Timestamp, limit: usize) -> Result<Vec<(OrderId, AttemptId)>, StoreError> {
        let state = self.state();
        let attempts = state.accounts.values().flat_map(|account| {
            account.attempts.iter().map(|attempt| (attempt.look_at, account.order, attempt.id, attempt.is_open()))
        });
        let mut due: Vec<_> = attempts.filter(|(at, _, _, open)| *open && *at <= now).collect();
        due.sort();
        Ok(due.into_iter().map(|(_, order, id, _)| (order, id)).take(limit).collect())
    }

    async fn due_refunds(&self, now: Timestamp, limit: usize) -> Result<Vec<(OrderId, RefundId)>, StoreError> {
        let state = self.state();
        let refunds = state.accounts.values().flat_map(|account| {
            let pending = account.refunds.iter().filter(|refund| refund.status == RefundStatus::Pending);
            pending.map(|refund| (refund.try_at, account.order, refund.id))
        });
        let mut due: Vec<_> = refunds.filter(|(at, ..)| *at <= now).collect();
        due.sort();
        Ok(due.into_iter().map(|(_, order, id)| (order, id)).take(limit).collect())
    }
}
