//! What providers say: kept first, and heard when the attempt is known.

use mart_kernel::{StoreError, Timestamp};
use time::Duration;

use super::UseCases;
use crate::domain::{Callback, Match, Provider};
use crate::ports::{Store, WebhookError, WebhookEvent, WebhookRequest};

/// Why a word was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiveWebhookError {
    /// The provider is off.
    ProviderDisabled,
    /// It is not genuine, or none of the provider's messages.
    Invalid(WebhookError),
    /// The store can't be reached: the provider has to say it again.
    Unavailable(StoreError),
}

impl<S: Store> UseCases<S> {
    /// Takes a word of a provider's. Once it is kept it is never lost, and whatever comes of it the provider need not say it again.
    pub async fn receive_webhook(
        &self,
        provider: Provider,
        word: &WebhookRequest<'_>,
    ) -> Result<(), ReceiveWebhookError> {
        let now = self.clock.now();
        let WebhookEvent { id, event } = self
            .providers
            .get(provider)
            .ok_or(ReceiveWebhookError::ProviderDisabled)?
            .parse_webhook(word, now)
            .map_err(ReceiveWebhookError::Invalid)?;
        let Some(event) = event else { return Ok(()) };
        let callback = Callback { id, event, at: now };
        // What a known one said first counts, and is heard or waits for the sweep.
        if self.store.keep(&callback).await.map_err(ReceiveWebhookError::Unavailable)? {
            // It is kept: what goes wrong from here on is mended by the sweep.
            let _heard = self.apply(callback).await;
        }
        Ok(())
    }

    /// Hears up to `limit` callbacks that came before their attempt was known, or that a crash cut off; how many were heard.
    pub async fn process_callbacks(&self, limit: usize) -> Result<usize, StoreError> {
        let again = self.policy.callback_retry_delay;
        let until = Timestamp::new(self.clock.now().get() - again);
        let (mut heard, mut refused) = (0, None);
        for callback in self.store.pending_callbacks(until, limit).await? {
            // First, and for as long as it has waited already: one that can't be heard stands in nobody's way.
            let (id, now) = (callback.id.clone(), self.clock.now().get());
            let waited = (now - callback.at.get()).max(again);
            self.store.reschedule(&id, Timestamp::new(now + waited.min(Duration::HOUR))).await?;
            match self.apply(callback).await {
                Ok(Match::Matched) => heard += 1,
                // What it is subject may never be ours: an account at a provider may have more than a mart.
                Ok(Match::Unmatched) => self.store.reschedule(&id, Timestamp::new(now + waited)).await?,
                Err(StoreError::Unavailable) => return Err(StoreError::Unavailable),
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            Some(error) if heard == 0 => Err(error),
            _ => Ok(heard),
        }
    }

    async fn apply(&self, callback: Callback) -> Result<Match, StoreError> {
        let Callback { id, event, .. } = callback;
        let found = self.store.attempt_of(event.provider, &event.subject).await?;
        let Some((order, attempt)) = found else { return Ok(Match::Unmatched) };
        self.settle(order, move |decider| decider.apply(attempt, &event.kind, Some(&id))).await
    }
}
