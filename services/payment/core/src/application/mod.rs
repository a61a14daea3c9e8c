//! The use cases. Each commits at most once. Providers are called before or after the commit, never within.

mod attempts;
mod callbacks;
mod handlers;
mod read;
mod refunds;

use std::sync::Arc;

use mart_kernel::{Clock, IdGenerator, PageTokenSigner, Receipt, StoreError};

use crate::domain::{Account, Change, OrderId, PaymentDecider, Policy, Provider, Routing, Rule};
use crate::ports::{PaymentProvider, Store};

pub use attempts::StartError;
pub use callbacks::ReceiveWebhookError;
pub use handlers::{AwaitingPayment, Cancelled, RefundRequested};
pub use read::{ListError, Republished};
pub use refunds::{RefundError, ResolveError};

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
}

impl<S> std::fmt::Debug for UseCases<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UseCases")
    }
}
