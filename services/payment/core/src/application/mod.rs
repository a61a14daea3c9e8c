//! The use cases. Each commits at most once; providers are asked before it or after it, never within.

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
pub use handlers::{Awaited, Cancelled, RefundAsked};
pub use read::{ListError, Republished};
pub use refunds::{RefundError, ResolveError};

/// The providers that are switched on.
#[derive(Clone, Default)]
pub struct Providers {
    all: Vec<Arc<dyn PaymentProvider>>,
    /// Those that open nothing new.
    retiring: Vec<Provider>,
    /// What an operator wants otherwise than the mart does by itself.
    rules: Vec<Rule>,
}

impl Providers {
    /// These are.
    pub fn new(providers: Vec<Arc<dyn PaymentProvider>>) -> Self {
        Self { all: providers, retiring: Vec::new(), rules: Vec::new() }
    }

    /// The same, of which these open nothing new: what began with them is heard, asked subject and refunded until it is over.
    #[must_use]
    pub fn retiring(self, retiring: Vec<Provider>) -> Self {
        Self { retiring, ..self }
    }

    /// The same, chosen by these rules first.
    #[must_use]
    pub fn routed(self, rules: Vec<Rule>) -> Self {
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

/// The use cases over their ports.
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
    /// Puts the use cases over their ports; `page_tokens` makes page tokens, `policy` says how long things last.
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

    /// Decides subject an order's account by one step; `None` where the receipt was there already.
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

    /// The same without a receipt, which can't have been there already.
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
