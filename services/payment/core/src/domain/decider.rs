//! Decides changes of a locked payment, without I/O.

use std::sync::Arc;

use mart_kernel::{EventEnvelope, IdGenerator, Money, Timestamp, Version};

use super::events::{
    PaymentCaptured, PaymentFailed, PaymentRefunded, PaymentRepublished, PaymentReviewRequired, VersionedEvent,
};
use super::{
    Account, Attempt, AttemptId, AttemptStatus, CallbackId, Checkout, CustomerId, OrderId, Payer, PaymentEvent, Policy,
    Provider, ProviderEventKind, Refund, RefundId, RefundStatus, Task, TaskId, Transaction, TransactionId,
    TransactionKind,
};

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

/// The longest reason of a task, in characters.
const MAX_REASON_LENGTH: usize = 1_000;

/// The errors of starting an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartRejection {
    /// The payment does not exist or belongs to another customer.
    NotFound,
    /// The payment is paid, closed or past its deadline.
    NotPayable,
    /// The order has too many attempts.
    TooMany,
}

/// The errors of requesting a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundRejection {
    /// The payment does not exist.
    NotFound,
    /// The amount exceeds what can be refunded.
    TooLarge,
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

    /// Opens the payment of an order. An existing one, such as that of an order that was cancelled first, stays unchanged.
    pub fn open_payment(
        &mut self,
        order: OrderId,
        customer: CustomerId,
        payer: Payer,
        amount: Money,
        deadline: Timestamp,
    ) {
        if self.account.is_none() {
            self.account = Some(Account { payer, ..self.new_account(order, customer, amount, deadline) });
        }
    }

    /// Closes the payment of a cancelled order and makes its open attempts due. OrderCancelled may arrive before
    /// OrderAwaitingPayment.
    pub fn close_payment(&mut self, order: OrderId, customer: CustomerId, amount: Money) {
        let now = self.now;
        if self.account.is_none() {
            self.account = Some(self.new_account(order, customer, amount, now));
        }
        if let Some(account) = &mut self.account {
            account.closed = true;
            for attempt in account.attempts.iter_mut().filter(|attempt| attempt.is_open()) {
                attempt.next_poll_at = now;
            }
        }
    }

    fn new_account(&self, order: OrderId, customer: CustomerId, amount: Money, deadline: Timestamp) -> Account {
        Account {
            order,
            version: Version::NONE,
            customer,
            payer: Payer::default(),
            amount,
            deadline,
            closed: false,
            attempts: Vec::new(),
            transactions: Vec::new(),
            refunds: Vec::new(),
            tasks: Vec::new(),
            created_at: self.now,
            updated_at: self.now,
        }
    }

    /// Returns a new attempt, or the open one at this provider if it has not expired.
    pub fn start(&mut self, customer: &CustomerId, provider: Provider) -> Result<Attempt, StartRejection> {
        let now = self.now;
        let id = AttemptId(self.ids.next());
        let account = self.account.as_mut().filter(|account| account.customer == *customer);
        let account = account.ok_or(StartRejection::NotFound)?;
        if account.closed || account.captured().minor() > 0 || now >= account.deadline {
            return Err(StartRejection::NotPayable);
        }
        let usable = |attempt: &&Attempt| attempt.provider == provider && attempt.is_open() && now < attempt.expires_at;
        if let Some(open) = account.attempts.iter().find(usable) {
            return Ok(open.clone());
        }
        if account.attempts.len() >= self.policy.max_attempts {
            return Err(StartRejection::TooMany);
        }
        let attempt = Attempt {
            id,
            provider,
            status: AttemptStatus::Opening,
            reference: String::new(),
            checkout: None,
            expires_at: Timestamp::new(now.get() + self.policy.checkout_ttl),
            next_poll_at: Timestamp::new(now.get() + self.policy.poll_delay),
            created_at: now,
        };
        account.attempts.push(attempt.clone());
        Ok(attempt)
    }

    /// Stores the checkout of an attempt. An existing checkout stays.
    pub fn opened(
        &mut self,
        id: AttemptId,
        reference: String,
        checkout: Checkout,
        expires_at: Timestamp,
    ) -> Option<Attempt> {
        let attempt = self.attempt(id)?;
        if attempt.status == AttemptStatus::Opening {
            attempt.status = AttemptStatus::Open;
            attempt.reference = reference;
            attempt.checkout = Some(checkout);
            attempt.expires_at = expires_at;
        }
        Some(attempt.clone())
    }

    /// Closes an attempt whose checkout the provider rejected.
    pub fn checkout_rejected(&mut self, id: AttemptId) {
        if let Some(attempt) = self.attempt(id).filter(|attempt| attempt.status == AttemptStatus::Opening) {
            attempt.status = AttemptStatus::Closed;
        }
    }

    /// Schedules the next poll of an attempt. An attempt without a checkout is closed once it has expired, because no customer saw
    /// its page.
    pub fn polled(&mut self, id: AttemptId) {
        let (now, next) = (self.now, Timestamp::new(self.now.get() + self.policy.poll_delay));
        if let Some(attempt) = self.attempt(id) {
            attempt.next_poll_at = next;
            if attempt.status == AttemptStatus::Opening && attempt.expires_at <= now {
                attempt.status = AttemptStatus::Closed;
            }
        }
    }

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

    fn is_failed(&self, id: RefundId) -> bool {
        self.known_refund(id).is_some_and(|(status, ..)| status == RefundStatus::Failed)
    }

    /// Sends a failed refund again, because the provider also reports it as succeeded. Only the provider knows which report is
    /// newer.
    fn retry_refund(&mut self, id: RefundId) {
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
    fn externally_refunded(
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

    fn set(&mut self, id: AttemptId, status: AttemptStatus) {
        if let Some(attempt) = self.attempt(id) {
            attempt.status = status;
        }
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

    fn add_refund(&mut self, id: RefundId, attempt: AttemptId, amount: Money, reason: String) {
        let now = self.now;
        if let Some(account) = &mut self.account {
            let status = RefundStatus::Pending;
            account.refunds.push(Refund { id, attempt, amount, status, reason, next_attempt_at: now, created_at: now });
        }
    }

    /// Returns a refund's status, amount, attempt and provider.
    fn known_refund(&self, id: RefundId) -> Option<(RefundStatus, Money, AttemptId, Provider)> {
        let account = self.account.as_ref()?;
        let refund = account.refunds.iter().find(|refund| refund.id == id)?;
        Some((refund.status, refund.amount, refund.attempt, account.attempt(refund.attempt)?.provider))
    }

    fn settle_refund(&mut self, id: RefundId, status: RefundStatus) {
        if let Some(account) = &mut self.account
            && let Some(refund) = account.refunds.iter_mut().find(|refund| refund.id == id)
        {
            refund.status = status;
        }
    }

    /// Creates a task for an operator, once for the same reason.
    fn require_review(&mut self, attempt: AttemptId, reason: &str, refund: Option<RefundId>) {
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

    fn record_event(&mut self, event: PaymentEvent) {
        if let Some(account) = &mut self.account {
            account.version = account.version.next();
            self.events.push((account.version, event));
        }
    }
}

impl Attempt {
    /// Returns whether the provider may still report a capture.
    pub fn is_open(&self) -> bool {
        matches!(self.status, AttemptStatus::Opening | AttemptStatus::Open)
    }
}

fn format_money(money: Money) -> String {
    format!("{} {}", money.amount(), money.currency().code())
}
