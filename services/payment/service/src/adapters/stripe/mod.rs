//! Stripe: a Checkout Session per attempt, refunds, and the events of our webhook.

mod amount;
mod api;
mod checkout;
mod refund;
#[cfg(test)]
mod tests;
mod webhook;

use async_trait::async_trait;
use mart_kernel::Timestamp;
use payment_core::domain::{Provider, ProviderEventKind};
use payment_core::ports::{
    CheckoutRequest, OpenCheckout, PaymentProvider, ProviderError, RefundOutcome, RefundRequest, WebhookError,
    WebhookEvent, WebhookRequest,
};

use crate::signature::WebhookVerifier;
use crate::transport::Transport;

pub use api::VERSION;
pub use checkout::CHECKOUT_TTL;

use amount::{money, reported_amount, units};
use checkout::Session;
use refund::{PaymentPart, Refund};

/// The adapter of Stripe.
pub struct Stripe<T> {
    transport: T,
    key: String,
    /// Verifies Stripe's webhooks.
    webhooks: WebhookVerifier,
    /// The URL of the shop, to which customers return.
    shop: String,
}

impl<T> Stripe<T> {
    /// Creates the adapter. `key` is the account's secret key, and `shop` is the URL to which customers return.
    pub fn new(transport: T, key: &str, webhooks: WebhookVerifier, shop: &str) -> Self {
        Self { transport, key: key.to_owned(), webhooks, shop: shop.to_owned() }
    }
}

impl<T> std::fmt::Debug for Stripe<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stripe")
    }
}

#[async_trait]
impl<T: Transport> PaymentProvider for Stripe<T> {
    fn provider(&self) -> Provider {
        Provider::Stripe
    }

    async fn open(&self, request: &CheckoutRequest) -> Result<OpenCheckout, ProviderError> {
        self.open_checkout(request).await
    }

    async fn poll(&self, reference: &str) -> Result<Vec<ProviderEventKind>, ProviderError> {
        self.poll_checkout(reference).await
    }

    async fn end(&self, reference: &str) -> Result<(), ProviderError> {
        self.end_checkout(reference).await
    }

    async fn refund(&self, request: &RefundRequest) -> Result<RefundOutcome, ProviderError> {
        self.send_refund(request).await
    }

    fn parse_webhook(&self, request: &WebhookRequest<'_>, now: Timestamp) -> Result<WebhookEvent, WebhookError> {
        self.parse_event(request, now)
    }
}
