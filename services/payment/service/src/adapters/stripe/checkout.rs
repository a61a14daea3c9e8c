//! Opens, polls and ends the Checkout Session of an attempt.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use mart_kernel::Timestamp;
use payment_core::domain::{Checkout, ProviderEventKind};
use payment_core::ports::{CheckoutRequest, OpenCheckout, ProviderError};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use super::{Stripe, money, reported_amount, units};
use crate::transport::Transport;

/// The time by which a session outlives its attempt. Stripe requires at least 30 minutes from the request, which is later than the
/// start of the attempt.
const MARGIN: Duration = Duration::minutes(5);
/// The accepted lifetimes of an attempt. Stripe's limits for a session are 30 minutes and one day. The upper limit is reduced by
/// two margins: the session outlives its attempt by one, and the clocks may differ by the other.
pub const CHECKOUT_TTL: RangeInclusive<Duration> =
    Duration::minutes(30)..=Duration::DAY.saturating_sub(MARGIN).saturating_sub(MARGIN);

/// A Checkout Session.
#[derive(Deserialize)]
pub(super) struct Session {
    pub(super) id: String,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    status: Option<String>,
    payment_status: String,
    #[serde(default)]
    payment_intent: Option<String>,
    #[serde(default)]
    amount_total: Option<i64>,
    #[serde(default)]
    currency: Option<String>,
    expires_at: i64,
    #[serde(default)]
    metadata: Option<HashMap<String, String>>,
}

impl Session {
    /// Returns whether the session belongs to an attempt. The account may have sessions of other systems.
    pub(super) fn is_ours(&self) -> bool {
        self.metadata.as_ref().is_some_and(|metadata| metadata.contains_key("attempt"))
    }

    /// Returns the event of the session's state. A complete session that is not paid awaits the bank and has none.
    pub(super) fn event_kind(self) -> Option<ProviderEventKind> {
        match (self.payment_status.as_str(), self.status.as_deref()) {
            ("paid", _) => {
                let (units, code) = (self.amount_total.unwrap_or_default(), self.currency.unwrap_or_default());
                // Refunds and disputes refer to the payment intent.
                let reference = self.payment_intent.unwrap_or(self.id);
                Some(ProviderEventKind::Captured {
                    reference,
                    reported_amount: reported_amount(units, &code),
                    amount: money(units, &code),
                })
            }
            (_, Some("expired")) => Some(ProviderEventKind::CheckoutExpired),
            _ => None,
        }
    }
}

impl<T: Transport> Stripe<T> {
    /// Opens a session, once per attempt.
    pub(super) async fn open_checkout(&self, request: &CheckoutRequest) -> Result<OpenCheckout, ProviderError> {
        let CheckoutRequest { attempt, order, amount, expires_at, .. } = request;
        let units =
            units(*amount).ok_or_else(|| ProviderError::Rejected(format!("Stripe does not accept {amount:?}")))?;
        let (units, currency) = (units.to_string(), amount.currency().code().to_lowercase());
        let (order, attempt) = (order.0.to_string(), attempt.0.to_string());
        let (title, page) = (format!("Order {order}"), format!("{}/orders/{order}", self.shop));
        let ends = (expires_at.get() + MARGIN).unix_timestamp().to_string();
        let fields = [
            ("mode", "payment"),
            // Cards only: an order awaits its payment for minutes, and other methods may take days.
            ("payment_method_types[0]", "card"),
            ("client_reference_id", &order),
            ("metadata[attempt]", &attempt),
            ("payment_intent_data[metadata][order]", &order),
            ("line_items[0][quantity]", "1"),
            ("line_items[0][price_data][currency]", &currency),
            ("line_items[0][price_data][unit_amount]", &units),
            ("line_items[0][price_data][product_data][name]", &title),
            ("success_url", &page),
            ("cancel_url", &page),
            ("expires_at", &ends),
        ];
        let first = self.post("/v1/checkout/sessions", &format!("attempt-{attempt}"), &fields).await;
        // Stripe repeats the response of an idempotency key for a day, even a 500, so the retry uses another key. A second session
        // does no harm: a session is paid only through its URL, and no customer has the URL of the first one.
        let opened: Session = match first {
            Err(ProviderError::Unavailable) => {
                self.post("/v1/checkout/sessions", &format!("attempt-{attempt}-again"), &fields).await?
            }
            other => other?,
        };
        let expires_at =
            OffsetDateTime::from_unix_timestamp(opened.expires_at).map_err(|_| ProviderError::Unavailable)?;
        let url = opened.url.ok_or_else(|| ProviderError::Rejected("the session has no URL".to_owned()))?;
        let checkout = Checkout { url, fields: Vec::new() };
        Ok(OpenCheckout { reference: opened.id, checkout, expires_at: Timestamp::new(expires_at) })
    }

    /// Returns the event of a session's current state, if it has one.
    pub(super) async fn poll_checkout(&self, reference: &str) -> Result<Vec<ProviderEventKind>, ProviderError> {
        let session: Session = self.get(&format!("/v1/checkout/sessions/{reference}")).await?;
        Ok(session.event_kind().into_iter().collect())
    }

    /// Expires a session, so that it cannot be paid.
    pub(super) async fn end_checkout(&self, reference: &str) -> Result<(), ProviderError> {
        let path = format!("/v1/checkout/sessions/{reference}/expire");
        let _session: Session = self.post(&path, &format!("end-{reference}"), &[]).await?;
        Ok(())
    }
}
