//! Sends refunds, and maps the refunds that Stripe reports.

use std::collections::HashMap;

use form_urlencoded::Serializer;
use payment_core::domain::{ProviderEventKind, RefundId, Subject};
use payment_core::ports::{ProviderError, RefundOutcome, RefundRequest};
use serde::Deserialize;
use uuid::Uuid;

use super::{Stripe, money, reported_amount, units};
use crate::transport::Transport;

/// The page size of a list of refunds, Stripe's largest.
const PAGE: &str = "100";

/// A refund.
#[derive(Deserialize)]
pub(super) struct Refund {
    id: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    failure_reason: Option<String>,
    #[serde(flatten)]
    part: PaymentPart,
    #[serde(default)]
    metadata: Option<HashMap<String, String>>,
}

/// The part of a payment that is refunded or disputed.
#[derive(Deserialize)]
pub(super) struct PaymentPart {
    #[serde(default)]
    pub(super) payment_intent: Option<String>,
    #[serde(default)]
    pub(super) amount: i64,
    #[serde(default)]
    pub(super) currency: String,
}

/// A page of a list.
#[derive(Deserialize)]
struct List<A> {
    data: Vec<A>,
    has_more: bool,
}

impl Refund {
    /// Returns our checkout and refund from the metadata, or `None` if the refund was made in Stripe's dashboard.
    fn our_ids(&self) -> Option<(&str, RefundId)> {
        let metadata = self.metadata.as_ref()?;
        Some((metadata.get("checkout")?, RefundId(metadata.get("refund")?.parse().ok()?)))
    }

    fn outcome(self) -> RefundOutcome {
        match self.status.as_deref() {
            Some("succeeded") => RefundOutcome::Succeeded(self.id),
            Some(status @ ("failed" | "canceled")) => {
                RefundOutcome::Rejected(self.failure_reason.unwrap_or_else(|| status.to_owned()))
            }
            _ => RefundOutcome::Pending,
        }
    }

    /// Returns the subject and the kind of the event, or `None` while the refund is pending.
    pub(super) fn event(self) -> Option<(Subject, ProviderEventKind)> {
        let Some((checkout, refund)) = self.our_ids().map(|(checkout, refund)| (checkout.to_owned(), refund)) else {
            return self.external_event();
        };
        let kind = match self.outcome() {
            RefundOutcome::Succeeded(reference) => ProviderEventKind::Refunded { refund, reference },
            RefundOutcome::Rejected(reason) => ProviderEventKind::RefundFailed { refund, reason },
            RefundOutcome::Pending | RefundOutcome::Manual => return None,
        };
        Some((Subject::Attempt(checkout), kind))
    }

    /// Returns the event of a refund that was made in Stripe's dashboard. Its subject is the money, because it has no session.
    fn external_event(self) -> Option<(Subject, ProviderEventKind)> {
        let subject = Subject::Money(self.part.payment_intent.clone()?);
        let id = self.id.clone();
        let refund = RefundId(Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("stripe:{id}").as_bytes()));
        let PaymentPart { amount, ref currency, .. } = self.part;
        let (reported_amount, amount) = (reported_amount(amount, currency), money(amount, currency));
        let kind = match self.outcome() {
            RefundOutcome::Succeeded(reference) => {
                ProviderEventKind::ExternalRefund { refund, reference, reported_amount, amount }
            }
            RefundOutcome::Rejected(reason) => {
                ProviderEventKind::RefundFailed { refund, reason: format!("{id}: {reason}") }
            }
            RefundOutcome::Pending | RefundOutcome::Manual => return None,
        };
        Some((subject, kind))
    }
}

impl<T: Transport> Stripe<T> {
    /// Sends a refund, unless Stripe has it already.
    pub(super) async fn send_refund(&self, request: &RefundRequest) -> Result<RefundOutcome, ProviderError> {
        if let Some(found) = self.find_refund(request).await? {
            return Ok(found.outcome());
        }
        let RefundRequest { refund, attempt, captured, amount } = request;
        let Some(units) = units(*amount) else {
            return Ok(RefundOutcome::Rejected(format!("Stripe cannot refund {amount:?}")));
        };
        let (units, id) = (units.to_string(), refund.0.to_string());
        let fields = [
            ("payment_intent", captured.as_str()),
            ("amount", &units),
            ("metadata[checkout]", attempt),
            ("metadata[refund]", &id),
        ];
        // The key includes the session, because the refunds of two orders may have the same id.
        let created: Refund = self.post("/v1/refunds", &format!("refund-{attempt}-{id}"), &fields).await?;
        Ok(created.outcome())
    }

    /// Finds our refund at Stripe, if it was created before. An idempotency key cannot show this, because Stripe deletes keys after
    /// a day.
    async fn find_refund(&self, request: &RefundRequest) -> Result<Option<Refund>, ProviderError> {
        let mut after: Option<String> = None;
        loop {
            let query = Serializer::new(String::new())
                .append_pair("payment_intent", &request.captured)
                .append_pair("limit", PAGE)
                .extend_pairs(after.iter().map(|after| ("starting_after", after)))
                .finish();
            let page: List<Refund> = self.get(&format!("/v1/refunds?{query}")).await?;
            after = page.data.last().map(|last| last.id.clone());
            let requested = |refund: &Refund| {
                refund.our_ids().is_some_and(|(checkout, id)| checkout == request.attempt && id == request.refund)
            };
            if let Some(found) = page.data.into_iter().find(requested) {
                return Ok(Some(found));
            }
            if !page.has_more || after.is_none() {
                return Ok(None);
            }
        }
    }
}
