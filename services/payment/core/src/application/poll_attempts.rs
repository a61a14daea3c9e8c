//! Polls attempts until the provider reports their end.

use mart_kernel::{StoreError, process_each};

use super::{StartError, UseCases};
use crate::domain::{Account, Attempt, AttemptId, AttemptStatus, OrderId, ProviderEventKind};
use crate::ports::{PaymentProvider, Store};

impl<S: Store> UseCases<S> {
    /// Polls up to `limit` due attempts and returns their number. An attempt that cannot be polled does not block the others.
    pub async fn poll_attempts(&self, limit: usize) -> Result<usize, StoreError> {
        let due = self.store.due_attempts(self.clock.now(), limit).await?;
        process_each(due, |(order, id)| async move { self.poll_attempt(order, id).await.map(|()| true) }).await
    }

    async fn poll_attempt(&self, order: OrderId, id: AttemptId) -> Result<(), StoreError> {
        // Before the request, so that an attempt without a response is not polled again at once.
        self.settle(order, move |decider| decider.polled(id)).await?;
        let Some(account) = self.store.find(order).await? else { return Ok(()) };
        let Some(attempt) = account.attempt(id).filter(|attempt| attempt.is_open()).cloned() else { return Ok(()) };
        let Some(provider) = self.providers.get(attempt.provider).cloned() else { return Ok(()) };
        let attempt = match attempt.status {
            AttemptStatus::Opening => match self.open_checkout(order, &attempt).await {
                Ok(opened) => opened,
                Err(StartError::Unavailable(error)) => return Err(error),
                Err(_) => return Ok(()),
            },
            _ => attempt,
        };
        self.poll(&account, &attempt, &*provider).await
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
