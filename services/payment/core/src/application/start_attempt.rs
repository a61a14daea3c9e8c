//! Starts an attempt to pay.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{Attempt, AttemptStatus, CustomerId, OrderId, Provider, StartRejection};
use crate::ports::Store;

/// The errors of starting an attempt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The payment does not allow it.
    #[error(transparent)]
    Rejected(#[from] StartRejection),
    /// The provider is disabled, or does not accept the currency.
    #[error("the provider is disabled or does not accept the currency")]
    ProviderDisabled,
    /// The provider is unavailable, or rejected the checkout.
    #[error("the provider is unavailable or rejected the checkout")]
    ProviderUnavailable,
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
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
        let account = account.ok_or(StartRejection::NotFound)?;
        let requested = match provider {
            "" => None,
            name => Some(Provider::from_name(name).ok_or(StartError::ProviderDisabled)?),
        };
        let (currency, country) = (account.amount.currency().code(), account.payer.country.as_str());
        let chosen =
            self.providers.routing().choose(requested, currency, country).ok_or(StartError::ProviderDisabled)?;
        let attempt = self.settle(order, move |decider| decider.start(&customer, chosen)).await??;
        if attempt.status == AttemptStatus::Open {
            return Ok(attempt);
        }
        self.open_checkout(order, &attempt).await
    }
}
