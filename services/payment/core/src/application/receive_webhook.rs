//! Receives webhooks. They are stored first and processed once their attempt is known.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{Callback, Provider};
use crate::ports::{Store, WebhookError, WebhookEvent, WebhookRequest};

/// The errors of receiving a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveWebhookError {
    /// The provider is disabled.
    #[error("the provider is disabled")]
    ProviderDisabled,
    /// The signature or the message is invalid.
    #[error(transparent)]
    Invalid(#[from] WebhookError),
    /// The store failed, so the provider has to send it again.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
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
        let provider = self.providers.get(provider).ok_or(ReceiveWebhookError::ProviderDisabled)?;
        let WebhookEvent { id, event } = provider.parse_webhook(request, now)?;
        let Some(event) = event else { return Ok(()) };
        let callback = Callback { id, event, at: now };
        // A duplicate is ignored: the first one counts, and it is processed already or waits for the background job.
        if self.store.insert_callback(&callback).await? {
            // The callback is stored, so the background job retries if this fails.
            let _matched = self.apply_callback(callback).await;
        }
        Ok(())
    }
}
