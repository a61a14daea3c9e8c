//! Stripe and PayFast as far as payment sees them, for tests: they hold what they are asked to their rules, and a test plays
//! the customer. Nothing here is theirs but the shape of what is said.

mod payfast;
mod stripe;

use time::OffsetDateTime;

pub use payfast::FakePayFast;
pub use stripe::FakeStripe;

use crate::sandbox::sign;

/// Who says something to the mart.
#[derive(Debug, Clone, PartialEq, Eq)]
enum By {
    Stripe,
    PayFast,
}

/// What a provider says to the mart, to be sent so often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    by: By,
    /// The body, to the byte.
    pub body: String,
    /// How often it is sent.
    pub calls: u8,
    /// How many milliseconds later.
    pub delay_ms: u64,
}

impl Callback {
    /// Where it goes.
    pub fn path(&self) -> &'static str {
        match self.by {
            By::Stripe => "/v1/payment-webhooks/stripe",
            By::PayFast => "/v1/payment-webhooks/payfast",
        }
    }

    /// What goes with it when it is sent at a time.
    pub fn headers(&self, now: OffsetDateTime) -> Vec<(&'static str, String)> {
        match self.by {
            By::Stripe => vec![
                ("content-type", "application/json".to_owned()),
                ("stripe-signature", sign(FakeStripe::SECRET, &self.body, now)),
            ],
            By::PayFast => vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
        }
    }
}
