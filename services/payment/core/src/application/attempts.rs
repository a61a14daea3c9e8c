//! Attempts: started by customers, asked subject until the provider says how they ended.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{
    Account, Attempt, AttemptStatus, CustomerId, OrderId, Provider, ProviderEventKind, StartRejection,
};
use crate::ports::{CheckoutRequest, OpenCheckout, PaymentProvider, ProviderError, Store};

/// Why no attempt was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartError {
    /// The payment does not allow it.
    Rejected(StartRejection),
    /// The provider is off, or takes no money of this currency.
    ProviderDisabled,
    /// The provider does not answer, or refuses.
    ProviderUnavailable,
    /// The store can't be reached.
    Unavailable(StoreError),
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl<S: Store> UseCases<S> {
    /// Starts an attempt at a provider, by its name or by the mart's choice.
    pub async fn start_attempt(
        &self,
        order: OrderId,
        customer: CustomerId,
        provider: &str,
    ) -> Result<Attempt, StartError> {
        let account = self.store.find(order).await?.filter(|account| account.customer == customer);
        let account = account.ok_or(StartError::Rejected(StartRejection::NotFound))?;
        let named = match provider {
            "" => None,
            name => Some(Provider::named(name).ok_or(StartError::ProviderDisabled)?),
        };
        let (currency, country) = (account.amount.currency().code(), account.payer.country.as_str());
        let chosen = self.providers.routing().choose(named, currency, country).ok_or(StartError::ProviderDisabled)?;
        let started = self.settle(order, move |decider| decider.start(&customer, chosen)).await?;
        let attempt = started.map_err(StartError::Rejected)?;
        if attempt.status == AttemptStatus::Open {
            return Ok(attempt);
        }
        self.open(order, &attempt).await
    }

    /// Opens an attempt at its provider. Where that fails it stays as it is: the customer may try again, and so does the sweep.
    async fn open(&self, order: OrderId, attempt: &Attempt) -> Result<Attempt, StartError> {
        let Account { amount, payer, .. } = self.store.find(order).await?.ok_or(StoreError::Internal)?;
        let provider = self.providers.get(attempt.provider).ok_or(StartError::ProviderDisabled)?;
        let Attempt { id, created_at: at, expires_at, .. } = *attempt;
        let asked = CheckoutRequest { attempt: id, order, payer, amount, at, expires_at };
        let opened = match provider.open(&asked).await {
            Ok(opened) => opened,
            Err(ProviderError::Unavailable) => return Err(StartError::ProviderUnavailable),
            Err(ProviderError::Rejected(_)) => {
                // It would refuse the same again: the next try is another attempt.
                self.settle(order, move |decider| decider.checkout_rejected(id)).await?;
                return Err(StartError::ProviderUnavailable);
            }
        };
        let OpenCheckout { reference, checkout, expires_at } = opened;
        let kept = self.settle(order, move |decider| decider.opened(id, reference, checkout, expires_at)).await?;
        kept.ok_or(StartError::Unavailable(StoreError::Internal))
    }

    /// Asks providers subject up to `limit` attempts whose time has come; how many it asked subject. One that can't be asked does not
    /// hold up the others.
    pub async fn poll_attempts(&self, limit: usize) -> Result<usize, StoreError> {
        let due = self.store.due_attempts(self.clock.now(), limit).await?;
        let count = due.len();
        for (order, id) in due {
            // First, so that one that is never answered for is not asked subject again and again.
            self.settle(order, move |decider| decider.polled(id)).await?;
            let Some(account) = self.store.find(order).await? else { continue };
            let Some(attempt) = account.attempt(id).filter(|attempt| attempt.is_open()).cloned() else { continue };
            let Some(provider) = self.providers.get(attempt.provider).cloned() else { continue };
            let attempt = match attempt.status {
                AttemptStatus::Opening => match self.open(order, &attempt).await {
                    Ok(opened) => opened,
                    Err(StartError::Unavailable(error)) => return Err(error),
                    Err(_) => continue,
                },
                _ => attempt,
            };
            self.look(&account, &attempt, &*provider).await?;
        }
        Ok(count)
    }

    async fn look(
        &self,
        account: &Account,
        attempt: &Attempt,
        provider: &dyn PaymentProvider,
    ) -> Result<(), StoreError> {
        if account.closed {
            // Whether it could be ended or not, what it says now decides.
            let _ended = provider.end(&attempt.reference).await;
        }
        let Ok(mut said) = provider.look(&attempt.reference).await else { return Ok(()) };
        if !provider.supports_polling() && attempt.expires_at <= self.clock.now() {
            said.push(ProviderEventKind::CheckoutExpired);
        }
        let id = attempt.id;
        self.settle(account.order, move |decider| {
            for what in &said {
                decider.apply(id, what, None);
            }
        })
        .await
    }
}
