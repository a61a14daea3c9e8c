//! Receives webhooks. They are stored first and processed once their attempt is known.

use mart_kernel::{StoreError, Timestamp};
use time::Duration;

use super::UseCases;
use crate::domain::{Callback, Match, Provider};
use crate::ports::{Store, WebhookError, WebhookEvent, WebhookRequest};

/// The errors of receiving a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiveWebhookError {
    /// The provider is disabled.
    ProviderDisabled,
    /// The signature or the message is invalid.
    Invalid(WebhookError),
    /// The store failed, so the provider has to send it again.
    Unavailable(StoreError),
}

impl<S: Store> UseCases<S> {
    /// Receives a provider's webhook. Success means that it is stored: the provider need not send it again, even if processing it
    /// fails.
    pub async fn receive_webhook(
        &self,
        provider: Provider,
        request: &WebhookRequest<'_>,
    ) -> Result<(), ReceiveWebhookError> {
        let now = self.clock.now();
        let WebhookEvent { id, event } = self
            .providers
            .get(provider)
            .ok_or(ReceiveWebhookError::ProviderDisabled)?
            .parse_webhook(request, now)
            .map_err(ReceiveWebhookError::Invalid)?;
        let Some(event) = event else { return Ok(()) };
        let callback = Callback { id, event, at: now };
        // A duplicate is ignored: the first one counts, and it is processed already or waits for the background job.
        if self.store.insert_callback(&callback).await.map_err(ReceiveWebhookError::Unavailable)? {
            // The callback is stored, so the background job retries if this fails.
            let _matched = self.apply(callback).await;
        }
        Ok(())
    }

    /// Processes up to `limit` pending callbacks and returns the number of matched ones. A callback is pending if it arrived before
    /// its attempt was known, or if a crash interrupted its processing.
    pub async fn process_callbacks(&self, limit: usize) -> Result<usize, StoreError> {
        let delay = self.policy.callback_retry_delay;
        let until = Timestamp::new(self.clock.now().get() - delay);
        let (mut matched, mut failed) = (0, None);
        for callback in self.store.pending_callbacks(until, limit).await? {
            // Before processing, so that a callback that fails does not block the others. The pause is as long as the callback has
            // waited so far, which doubles it each time. After an error it is at most one hour.
            let (id, now) = (callback.id.clone(), self.clock.now().get());
            let waited = (now - callback.at.get()).max(delay);
            self.store.reschedule(&id, Timestamp::new(now + waited.min(Duration::HOUR))).await?;
            match self.apply(callback).await {
                Ok(Match::Matched) => matched += 1,
                // No limit here: the event may not be ours, because other systems may use our account at the provider.
                Ok(Match::Unmatched) => self.store.reschedule(&id, Timestamp::new(now + waited)).await?,
                Err(StoreError::Unavailable) => return Err(StoreError::Unavailable),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) if matched == 0 => Err(error),
            _ => Ok(matched),
        }
    }

    async fn apply(&self, callback: Callback) -> Result<Match, StoreError> {
        let Callback { id, event, .. } = callback;
        let found = self.store.attempt_of(event.provider, &event.subject).await?;
        let Some((order, attempt)) = found else { return Ok(Match::Unmatched) };
        self.settle(order, move |decider| decider.apply(attempt, &event.kind, Some(&id))).await
    }
}
