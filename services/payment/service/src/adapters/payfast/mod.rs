//! PayFast of Pakistan (gopayfast.com).
//!
//! The customer's browser submits a form to PayFast, which sends an instant payment notification (IPN) to our webhook. PayFast
//! documents no refunds and no status query, so refunds are manual and checkouts cannot be polled.

mod checkout;
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

use crate::transport::Transport;

#[cfg(test)]
use checkout::{FORM, TOKEN};

/// Our merchant account at PayFast, and our addresses.
#[derive(Clone)]
pub struct Merchant {
    /// The URL of PayFast's API.
    pub url: String,
    /// The merchant number.
    pub id: String,
    /// The shop's name, which customers see.
    pub name: String,
    /// The secured keys; during a rotation the new and the old one. Requests use the first one.
    pub keys: Vec<String>,
    /// The public URL of our webhook.
    pub callback: String,
    /// The URL of the shop, to which customers return.
    pub shop: String,
}

/// The adapter of PayFast.
pub struct PayFast<T> {
    transport: T,
    merchant: Merchant,
}

impl<T> PayFast<T> {
    /// Creates the adapter.
    pub fn new(transport: T, merchant: Merchant) -> Self {
        Self { transport, merchant }
    }
}

impl<T> std::fmt::Debug for PayFast<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PayFast")
    }
}

#[async_trait]
impl<T: Transport> PaymentProvider for PayFast<T> {
    fn provider(&self) -> Provider {
        Provider::PayFast
    }

    async fn open(&self, request: &CheckoutRequest) -> Result<OpenCheckout, ProviderError> {
        self.open_checkout(request).await
    }

    fn supports_polling(&self) -> bool {
        false
    }

    async fn poll(&self, _reference: &str) -> Result<Vec<ProviderEventKind>, ProviderError> {
        Ok(Vec::new())
    }

    async fn end(&self, _reference: &str) -> Result<(), ProviderError> {
        Err(ProviderError::Rejected("PayFast cannot end a checkout".to_owned()))
    }

    async fn refund(&self, _request: &RefundRequest) -> Result<RefundOutcome, ProviderError> {
        Ok(RefundOutcome::Manual)
    }

    fn parse_webhook(&self, request: &WebhookRequest<'_>, _now: Timestamp) -> Result<WebhookEvent, WebhookError> {
        self.parse_notification(request)
    }
}
