//! A provider with scripted responses.

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use mart_kernel::{Money, Timestamp};
use payment_core::domain::{CallbackId, Checkout, Provider, ProviderEvent, ProviderEventKind, RefundId, Subject};
use payment_core::ports::{
    CheckoutRequest, OpenCheckout, PaymentProvider, ProviderError, RefundOutcome, RefundRequest, WebhookError,
    WebhookEvent, WebhookRequest,
};
use uuid::Uuid;

use crate::world::pkr;

/// A provider with scripted responses. It records its requests.
#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) unavailable: Mutex<bool>,
    pub(crate) rejects: Mutex<bool>,
    pub(crate) without_polling: Mutex<bool>,
    pub(crate) reported: Mutex<Vec<ProviderEventKind>>,
    pub(crate) refund_outcomes: Mutex<VecDeque<RefundOutcome>>,
    pub(crate) requests: Mutex<Vec<String>>,
}

#[async_trait]
impl PaymentProvider for Scripted {
    fn provider(&self) -> Provider {
        Provider::Sandbox
    }

    async fn open(&self, request: &CheckoutRequest) -> Result<OpenCheckout, ProviderError> {
        if *self.unavailable.lock().expect("unlocked") {
            return Err(ProviderError::Unavailable);
        }
        if *self.rejects.lock().expect("unlocked") {
            return Err(ProviderError::Rejected("rejected".to_owned()));
        }
        self.requests.lock().expect("unlocked").push("open".to_owned());
        let (url, fields, expires_at) = ("https://pay.example".to_owned(), Vec::new(), request.expires_at);
        let reference = format!("cs-{}", request.attempt.0);
        Ok(OpenCheckout { reference, checkout: Checkout { url, fields }, expires_at })
    }

    fn supports_polling(&self) -> bool {
        !*self.without_polling.lock().expect("unlocked")
    }

    async fn poll(&self, _reference: &str) -> Result<Vec<ProviderEventKind>, ProviderError> {
        self.requests.lock().expect("unlocked").push("poll".to_owned());
        Ok(self.reported.lock().expect("unlocked").clone())
    }

    async fn end(&self, _reference: &str) -> Result<(), ProviderError> {
        self.requests.lock().expect("unlocked").push("end".to_owned());
        Ok(())
    }

    async fn refund(&self, request: &RefundRequest) -> Result<RefundOutcome, ProviderError> {
        self.requests.lock().expect("unlocked").push(format!("refund {}", request.amount.amount()));
        Ok(self.refund_outcomes.lock().expect("unlocked").pop_front().unwrap_or(RefundOutcome::Pending))
    }

    fn parse_webhook(&self, request: &WebhookRequest<'_>, _now: Timestamp) -> Result<WebhookEvent, WebhookError> {
        // The body is `event attempt amount`, `event attempt refunded` or `event money external minor`. Any signature header is
        // valid.
        let text = std::str::from_utf8(request.body).map_err(|_| WebhookError::Message)?;
        (request.header)("signature").ok_or(WebhookError::Signature)?;
        let parts: Vec<&str> = text.split(' ').collect();
        if let [event, money, "external", reported_amount] = parts.as_slice() {
            let minor = reported_amount.parse().ok().map(pkr);
            let (refund, reference) = (RefundId(Uuid::from_u128(99)), "re-99".to_owned());
            let kind = match minor {
                _ if *reported_amount == "disputed" => ProviderEventKind::NeedsReview("disputed".to_owned()),
                _ if *reported_amount == "failed" => {
                    ProviderEventKind::RefundFailed { refund, reason: "closed".to_owned() }
                }
                amount => ProviderEventKind::ExternalRefund {
                    refund,
                    reference,
                    reported_amount: (*reported_amount).to_owned(),
                    amount,
                },
            };
            let id = CallbackId { provider: Provider::Sandbox, event: (*event).to_owned() };
            let subject = Subject::Money((*money).to_owned());
            return Ok(WebhookEvent { id, event: Some(ProviderEvent { provider: Provider::Sandbox, subject, kind }) });
        }
        let [event, attempt, reported_amount] = parts.as_slice() else { return Err(WebhookError::Message) };
        let amount = Money::parse(reported_amount, "PKR").ok();
        let refunded =
            ProviderEventKind::Refunded { refund: RefundId(Uuid::from_u128(1)), reference: "re-1".to_owned() };
        let kind = if *reported_amount == "refunded" {
            refunded
        } else {
            ProviderEventKind::Captured {
                reference: "tx-1".to_owned(),
                reported_amount: (*reported_amount).to_owned(),
                amount,
            }
        };
        let id = CallbackId { provider: Provider::Sandbox, event: (*event).to_owned() };
        let subject = Subject::Attempt((*attempt).to_owned());
        Ok(WebhookEvent { id, event: Some(ProviderEvent { provider: Provider::Sandbox, subject, kind }) })
    }
}
