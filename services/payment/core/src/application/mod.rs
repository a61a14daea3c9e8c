//! The use cases, one per file. Each commits at most once. Providers are called before or after the commit, never within.

mod get_payment;
mod list_payments;
mod on_order_awaiting_payment;
mod on_order_cancelled;
mod on_refund_requested;
mod poll_attempts;
mod process_callbacks;
mod receive_webhook;
mod refund_payment;
mod republish_payments;
mod resolve_task;
mod send_refunds;
mod start_attempt;

use std::sync::Arc;

use mart_kernel::{Clock, IdGenerator, PageTokenSigner, Receipt, StoreError};

use crate::domain::{
    Account, Attempt, Callback, Change, Match, OrderId, PaymentDecider, Policy, Provider, Routing, Rule,
};
use crate::ports::{CheckoutRequest, OpenCheckout, PaymentProvider, ProviderError, Store};

pub use get_payment::Viewer;
pub use on_order_awaiting_payment::AwaitingPayment;
pub use on_order_cancelled::Cancelled;
pub use on_refund_requested::RefundRequested;
pub use receive_webhook::ReceiveWebhookError;
pub use refund_payment::RefundError;
pub use resolve_task::ResolveError;
pub use start_attempt::StartError;

/// The enabled providers.
#[derive(Clone, Default)]
pub struct Providers {
    all: Vec<Arc<dyn PaymentProvider>>,
    /// The providers that open no new checkouts.
    retiring: Vec<Provider>,
    /// The rules that choose a provider before the default does.
    rules: Vec<Rule>,
}

impl Providers {
    /// Creates the set of enabled providers.
    pub fn new(providers: Vec<Arc<dyn PaymentProvider>>) -> Self {
        Self { all: providers, retiring: Vec::new(), rules: Vec::new() }
    }

    /// Marks providers as retiring: they open no new checkouts, but their attempts are still processed, polled and refunded.
    #[must_use]
    pub fn retiring(self, retiring: Vec<Provider>) -> Self {
        Self { retiring, ..self }
    }

    /// Adds the rules that choose a provider first.
    #[must_use]
    pub fn with_rules(self, rules: Vec<Rule>) -> Self {
        Self { rules, ..self }
    }

    fn get(&self, provider: Provider) -> Option<&Arc<dyn PaymentProvider>> {
        self.all.iter().find(|known| known.provider() == provider)
    }

    fn routing(&self) -> Routing {
        let offered = self.all.iter().map(|provider| provider.provider());
        let offered = offered.filter(|provider| !self.retiring.contains(provider)).collect();
        Routing { offered, rules: self.rules.clone() }
    }
}

/// The use cases with their ports.
#[derive(Clone)]
pub struct UseCases<S> {
    store: S,
    providers: Providers,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    page_tokens: PageTokenSigner,
    policy: Policy,
}

impl<S: Store> UseCases<S> {
    /// Creates the use cases. `page_tokens` signs page tokens; `policy` has lifetimes and limits.
    pub fn new(
        store: S,
        providers: Providers,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
        page_tokens: PageTokenSigner,
        policy: Policy,
    ) -> Self {
        Self { store, providers, clock, ids, page_tokens, policy }
    }

    /// Decides a change of an order's payment. Returns `None` if the receipt already existed.
    async fn decide<T: Send + 'static>(
        &self,
        order: OrderId,
        receipt: Option<Receipt>,
        step: impl FnOnce(&mut PaymentDecider) -> T + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        let (now, ids, policy) = (self.clock.now(), self.ids.clone(), self.policy);
        let decide = move |account: Option<Account>| -> (Change, T) {
            let mut decider = PaymentDecider::open(account, now, ids, policy);
            let outcome = step(&mut decider);
            (decider.close(), outcome)
        };
        self.store.decide(order, receipt, decide).await
    }

    /// Decides a change of an order's payment without a receipt.
    async fn settle<T: Send + 'static>(
        &self,
        order: OrderId,
        step: impl FnOnce(&mut PaymentDecider) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        self.decide(order, None, step).await?.ok_or(StoreError::Internal)
    }

    /// Opens the checkout of an attempt. If the provider is unavailable, the attempt stays unchanged: the customer's next start or
    /// the background job tries again.
    async fn open_checkout(&self, order: OrderId, attempt: &Attempt) -> Result<Attempt, StartError> {
        let Account { amount, payer, .. } = self.store.find(order).await?.ok_or(StoreError::Internal)?;
        let provider = self.providers.get(attempt.provider).ok_or(StartError::ProviderDisabled)?;
        let Attempt { id, created_at: at, expires_at, .. } = *attempt;
        let request = CheckoutRequest { attempt: id, order, payer, amount, at, expires_at };
        let opened = match provider.open(&request).await {
            Ok(opened) => opened,
            Err(ProviderError::Unavailable) => return Err(StartError::ProviderUnavailable),
            Err(ProviderError::Rejected(_)) => {
                // The provider would reject the same request again, so the next start is a new attempt.
                self.settle(order, move |decider| decider.checkout_rejected(id)).await?;
                return Err(StartError::ProviderUnavailable);
            }
        };
        let OpenCheckout { reference, checkout, expires_at } = opened;
        let stored = self.settle(order, move |decider| decider.opened(id, reference, checkout, expires_at)).await?;
        Ok(stored.ok_or(StoreError::Internal)?)
    }

    /// Applies a callback to its attempt, if the attempt is known.
    async fn apply_callback(&self, callback: Callback) -> Result<Match, StoreError> {
        let Callback { id, event, .. } = callback;
        let found = self.store.find_by_subject(event.provider, &event.subject).await?;
        let Some((order, attempt)) = found else { return Ok(Match::Unmatched) };
        self.settle(order, move |decider| decider.apply(attempt, &event.kind, Some(&id))).await
    }
}

impl<S> std::fmt::Debug for UseCases<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UseCases")
    }
}
