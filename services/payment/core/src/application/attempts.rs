//! Starts attempts and polls them until the provider reports their end.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{
    Account, Attempt, AttemptStatus, CustomerId, OrderId, Provider, ProviderEventKind, StartRejection,
};
use crate::ports::{CheckoutRequest, OpenCheckout, PaymentProvider, ProviderError, Store};

/// The errors of starting an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartError {
    /// The payment does not allow it.
    Rejected(StartRejection),
    /// The provider is disabled, or does not accept the currency.
    ProviderDisabled,
    /// The provider is unavailable, or rejected the checkout.
    ProviderUnavailable,
    /// The store failed.
    Unavailable(StoreError),
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl<S: Store> UseCases<S> {
    /// Starts an attempt at the named provider. If the name is empty, the routing chooses one.
    pub async fn start_attempt(
        &self,
        order: OrderId,
        customer: CustomerId,
        provider: &str,
    ) -> Result<Attempt, StartError> {
        let account = self.store.find(order).await?.filter(|account| account.customer == customer);
        let account = account.ok_or(StartError::Rejected(StartRejection::NotFound))?;
        let requested = match provider {
            "" => None,
            name => Some(Provider::from_name(name).ok_or(StartError::ProviderDisabled)?),
        };
        let (currency, country) = (account.amount.currency().code(), account.payer.country.as_str());
        let chosen =
            self.providers.routing().choose(requested, currency, country).ok_or(StartError::ProviderDisabled)?;
        let started = self.settle(order, move |decider| decider.start(&customer, chosen)).await?;
        let attempt = started.map_err(StartError::Rejected)?;
        if attempt.status == AttemptStatus::Open {
            return Ok(attempt);
        }
        self.open(order, &attempt).await
    }

    /// Opens the checkout of an attempt. If the provider is unavailable, the attempt stays unchanged: the customer's next start or
    /// the background job tries again.
    async fn open(&self, order: OrderId, attempt: &Attempt) -> Result<Attempt, StartError> {
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
        stored.ok_or(StartError::Unavailable(StoreError::Internal))
    }

    /// Polls up to `limit` due attempts and returns their number. An attempt that cannot be polled does not block the others.
    pub async fn poll_attempts(&self, limit: usize) -> Result<usize, StoreError> {
        let due = self.store.due_attempts(self.clock.now(), limit).await?;
        let count = due.len();
        for (order, id) in due {
            // Before the request, so that an attempt without a response is not polled again at once.
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
            self.poll(&account, &attempt, &*provider).await?;
        }
        Ok(count)
    }

    async fn poll(
        &self,
        account: &Account,
        attempt: &Attempt,
        provider: &dyn PaymentProvider,
    ) -> Result<(), StoreError> {
        if account.closed {
            // The result does not matter: the poll shows whether the checkout ended or was paid.
            let _ended = provider.end(&attempt.reference).await;
        }
        let Ok(mut reported) = provider.poll(&attempt.reference).await else { return Ok(()) };
        if !provider.supports_polling() && attempt.expires_at <= self.clock.now() {
            reported.push(ProviderEventKind::CheckoutExpired);
        }
        let id = attempt.id;
        self.settle(account.order, move |decider| {
            for kind in &reported {
                decider.apply(id, kind, None);
            }
        })
        .await
    }
}
