//! Verifies and parses the events that Stripe sends to our webhook.

use mart_kernel::Timestamp;
use payment_core::domain::{CallbackId, Provider, ProviderEvent, ProviderEventKind, Subject};
use payment_core::ports::{WebhookError, WebhookEvent, WebhookRequest};
use serde::Deserialize;
use serde_json::Value;

use super::{PaymentPart, Refund, Session, Stripe, reported_amount};

/// An event.
#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Value,
}

/// A dispute: the customer's bank reclaims a payment.
#[derive(Deserialize)]
struct Dispute {
    id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    reason: String,
    #[serde(flatten)]
    part: PaymentPart,
}

impl Dispute {
    /// Returns the subject and the kind of the event. An operator has to answer the dispute at Stripe.
    fn event(self) -> Option<(Subject, ProviderEventKind)> {
        let Self { id, status, reason, part: PaymentPart { payment_intent, amount, currency } } = self;
        let amount = reported_amount(amount, &currency);
        let reason = format!("the customer's bank disputes {amount} ({reason}); dispute {id} has the status {status}");
        Some((Subject::Money(payment_intent?), ProviderEventKind::NeedsReview(reason)))
    }
}

impl<T> Stripe<T> {
    /// Verifies and parses an event. An event of another kind or of another system is irrelevant.
    pub(super) fn parse_event(
        &self,
        request: &WebhookRequest<'_>,
        now: Timestamp,
    ) -> Result<WebhookEvent, WebhookError> {
        let signature = (request.header)("stripe-signature").ok_or(WebhookError::Signature)?;
        if !self.webhooks.verify(&signature, request.body, now) {
            return Err(WebhookError::Signature);
        }
        let Event { id, kind, data } = serde_json::from_slice(request.body).map_err(|_| WebhookError::Message)?;
        let session = |object: Value| serde_json::from_value::<Session>(object).map_err(|_| WebhookError::Message);
        let reported = match kind.as_str() {
            "checkout.session.completed" | "checkout.session.async_payment_succeeded" | "checkout.session.expired" => {
                let session = session(data.object)?;
                let attempt = Subject::Attempt(session.id.clone());
                Some(session).filter(Session::is_ours).and_then(Session::event_kind).map(|kind| (attempt, kind))
            }
            "checkout.session.async_payment_failed" => {
                let ours = Some(session(data.object)?).filter(Session::is_ours);
                ours.map(|session| {
                    (
                        Subject::Attempt(session.id),
                        ProviderEventKind::Failed("the bank rejected the payment".to_owned()),
                    )
                })
            }
            "refund.created" | "refund.updated" | "refund.failed" => {
                serde_json::from_value::<Refund>(data.object).map_err(|_| WebhookError::Message)?.event()
            }
            // Each status of a dispute is one task, even if several of these events report it.
            "charge.dispute.created" | "charge.dispute.funds_withdrawn" | "charge.dispute.closed" => {
                serde_json::from_value::<Dispute>(data.object).map_err(|_| WebhookError::Message)?.event()
            }
            // This includes a declined card: the customer is still on the page and can try another one.
            _ => None,
        };
        let provider = Provider::Stripe;
        let event = reported.map(|(subject, kind)| ProviderEvent { provider, subject, kind });
        Ok(WebhookEvent { id: CallbackId { provider, event: id }, event })
    }
}
