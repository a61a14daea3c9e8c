//! Decides changes of a locked payment, without I/O. The files are named after what they decide.

mod attempts;
mod payment;
mod provider_events;
mod refunds;
mod tasks;

use std::sync::Arc;

use mart_kernel::{EventEnvelope, IdGenerator, Money, Timestamp};

use super::events::{PaymentRepublished, VersionedEvent};
use super::{
    Account, Attempt, AttemptId, CallbackId, OrderId, PaymentEvent, Policy, Provider, Transaction, TransactionId,
    TransactionKind,
};

pub use attempts::StartRejection;
pub use refunds::RefundRejection;

/// A payment and the changes that were decided so far.
pub struct PaymentDecider {
    now: Timestamp,
    ids: Arc<dyn IdGenerator>,
    policy: Policy,
    before: Option<Account>,
    account: Option<Account>,
    events: Vec<VersionedEvent>,
    processed: Vec<CallbackId>,
}

/// Everything that a decision stores, at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// The payment after the change; `None` if it did not change.
    pub account: Option<Account>,
    /// The events to publish.
    pub events: Vec<EventEnvelope<PaymentEvent>>,
    /// The callbacks that were processed.
    pub processed: Vec<CallbackId>,
}

/// Whether a provider's event matched an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// The event was applied, now or before.
    Matched,
    /// The attempt is not known yet.
    Unmatched,
}

impl PaymentDecider {
    /// Begins a decision about a payment, which may not exist yet.
    pub fn open(account: Option<Account>, now: Timestamp, ids: Arc<dyn IdGenerator>, policy: Policy) -> Self {
        Self { now, ids, policy, before: account.clone(), account, events: Vec::new(), processed: Vec::new() }
    }

    /// Ends the decision and returns its change.
    #[must_use]
    pub fn close(mut self) -> Change {
        let changed = self.account != self.before;
        if let Some(account) = self.account.as_mut().filter(|_| changed) {
            account.updated_at = self.now;
        }
        let event =
            |(version, payload): VersionedEvent| EventEnvelope { id: self.ids.next(), at: self.now, version, payload };
        let events = self.events.into_iter().map(event).collect();
        Change { account: self.account.filter(|_| changed), events, processed: self.processed }
    }

    /// Returns the payment in its current state.
    pub fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// Publishes the current state again.
    pub fn republish(&mut self) {
        if let Some(account) = self.account.clone() {
            let version = account.version;
            self.events
                .push((version, PaymentEvent::PaymentRepublished(PaymentRepublished { account: Box::new(account) })));
        }
    }

    fn attempt(&mut self, id: AttemptId) -> Option<&mut Attempt> {
        self.account.as_mut()?.attempts.iter_mut().find(|attempt| attempt.id == id)
    }

    fn order(&self) -> OrderId {
        self.account.as_ref().map_or(OrderId(uuid::Uuid::nil()), |account| account.order)
    }

    fn booked(&self, kind: TransactionKind, provider: Provider, reference: &str) -> bool {
        let same =
            |booked: &Transaction| booked.kind == kind && booked.provider == provider && booked.reference == reference;
        self.account.as_ref().is_some_and(|account| account.transactions.iter().any(same))
    }

    fn book(&mut self, kind: TransactionKind, provider: Provider, reference: &str, amount: Money, attempt: AttemptId) {
        let (id, at, reference) = (TransactionId(self.ids.next()), self.now, reference.to_owned());
        if let Some(account) = &mut self.account {
            account.transactions.push(Transaction { id, kind, amount, provider, reference, attempt, at });
        }
    }

    fn record_event(&mut self, event: PaymentEvent) {
        if let Some(account) = &mut self.account {
            account.version = account.version.next();
            self.events.push((account.version, event));
        }
    }
}

fn format_money(money: Money) -> String {
    format!("{} {}", money.amount(), money.currency().code())
}
