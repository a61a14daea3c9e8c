//! The rows of callbacks.

use mart_chassis::db::read::decode_error;
use mart_chassis::table_row;
use mart_kernel::{Money, Timestamp};
use payment_core::domain::{Callback, CallbackId, ProviderEvent, ProviderEventKind, RefundId, Subject};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{currency, provider};

table_row! {
    /// A row of `callback`.
    pub struct CallbackRow in callback (provider, event) {
        provider: String,
        event: String,
        subject: String,
        subject_reference: String,
        kind: String,
        reference: String,
        reported: String,
        amount: Option<i64>,
        currency: Option<String>,
        refund_id: Option<Uuid>,
        at: OffsetDateTime,
        next_attempt_at: OffsetDateTime,
        processed: bool,
    }
}

impl From<Callback> for CallbackRow {
    /// Maps a callback that is not processed yet.
    fn from(callback: Callback) -> Self {
        let Callback { id: CallbackId { provider, event: id }, event, at } = callback;
        let ProviderEvent { provider: _, subject, kind } = event;
        let (subject, subject_reference) = match subject {
            Subject::Attempt(reference) => ("attempt", reference),
            Subject::Money(reference) => ("money", reference),
        };
        let none = String::new;
        let (kind, reference, reported, amount, refund) = match kind {
            ProviderEventKind::Captured { reference, reported_amount, amount } => {
                ("captured", reference, reported_amount, amount, None)
            }
            ProviderEventKind::Failed(reason) => ("failed", none(), reason, None, None),
            ProviderEventKind::CheckoutExpired => ("checkout_expired", none(), none(), None, None),
            ProviderEventKind::Refunded { refund, reference } => ("refunded", reference, none(), None, Some(refund)),
            ProviderEventKind::ExternalRefund { refund, reference, reported_amount, amount } => {
                ("external_refund", reference, reported_amount, amount, Some(refund))
            }
            ProviderEventKind::RefundFailed { refund, reason } => ("refund_failed", none(), reason, None, Some(refund)),
            ProviderEventKind::NeedsReview(reason) => ("needs_review", none(), reason, None, None),
        };
        Self {
            provider: provider.name().to_owned(),
            event: id,
            subject: subject.to_owned(),
            subject_reference,
            kind: kind.to_owned(),
            reference,
            reported,
            amount: amount.map(Money::minor),
            currency: amount.map(|amount| amount.currency().code().to_owned()),
            refund_id: refund.map(|refund| refund.0),
            at: at.get(),
            next_attempt_at: at.get(),
            processed: false,
        }
    }
}

impl TryFrom<CallbackRow> for Callback {
    type Error = sqlx::Error;

    fn try_from(row: CallbackRow) -> Result<Self, sqlx::Error> {
        let CallbackRow {
            provider: name,
            event,
            subject,
            subject_reference,
            kind,
            reference,
            reported,
            amount,
            currency: code,
            refund_id,
            at,
            next_attempt_at: _,
            processed: _,
        } = row;
        let amount = match (amount, code) {
            (Some(minor), Some(code)) => Some(Money::from_minor(minor, currency(&code)?)),
            (None, None) => None,
            _ => return Err(decode_error("an amount has a currency")),
        };
        let kind = match (kind.as_str(), refund_id.map(RefundId)) {
            ("captured", None) => ProviderEventKind::Captured { reference, reported_amount: reported, amount },
            ("failed", None) => ProviderEventKind::Failed(reported),
            ("checkout_expired", None) => ProviderEventKind::CheckoutExpired,
            ("refunded", Some(refund)) => ProviderEventKind::Refunded { refund, reference },
            ("external_refund", Some(refund)) => {
                ProviderEventKind::ExternalRefund { refund, reference, reported_amount: reported, amount }
            }
            ("refund_failed", Some(refund)) => ProviderEventKind::RefundFailed { refund, reason: reported },
            ("needs_review", None) => ProviderEventKind::NeedsReview(reported),
            (other, _) => return Err(decode_error(format!("unknown kind of a provider's event: {other}"))),
        };
        let subject = match subject.as_str() {
            "attempt" => Subject::Attempt(subject_reference),
            "money" => Subject::Money(subject_reference),
            other => return Err(decode_error(format!("unknown subject of a provider's event: {other}"))),
        };
        let provider = provider(&name)?;
        Ok(Self {
            id: CallbackId { provider, event },
            event: ProviderEvent { provider, subject, kind },
            at: Timestamp::new(at),
        })
    }
}
