//! The simulated payment providers of a mart of scenarios.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use devstack::providers::{Callback, FakePayFast, FakeStripe};
use devstack::sandbox::{Action, ActionError, Checkouts};
use serde_json::Value;
use time::OffsetDateTime;

/// The sandbox, which a service of the mart and the scenario's customer share.
pub type Sandbox = Arc<Mutex<Checkouts>>;

/// The secret that signs the callbacks of the sandbox of scenarios in the process.
pub const SANDBOX_SECRET: &str = "a scenario's sandbox";

/// All enabled providers. Clones share their state.
#[derive(Debug, Clone, Default)]
pub struct Providers {
    /// The mart's own sandbox.
    pub sandbox: Sandbox,
    /// A simulation of Stripe.
    pub stripe: FakeStripe,
    /// A simulation of PayFast.
    pub payfast: FakePayFast,
}

/// Returns the form that a checkout lets the customer's browser send.
fn form(checkout: &Value) -> HashMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fields = checkout["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
    fields.iter().map(|field| (text(&field["name"]), text(&field["value"]))).collect()
}

/// Returns whether a checkout is one of the sandbox.
pub(crate) fn is_sandbox(checkout: &Value) -> bool {
    form(checkout).is_empty() && FakeStripe::session_of(page(checkout)).is_none()
}

/// Returns the page of a checkout.
pub(crate) fn page(checkout: &Value) -> &str {
    checkout["url"].as_str().unwrap_or_default()
}

impl Providers {
    /// Acts on a checkout as its customer, and returns the callback.
    pub(crate) fn act(&self, checkout: &Value, action: &Action, now: OffsetDateTime) -> Result<Callback, ActionError> {
        let (page, form) = (page(checkout), form(checkout));
        if !form.is_empty() {
            self.payfast.act(&form, action)
        } else if let Some(session) = FakeStripe::session_of(page) {
            self.stripe.act(session, action, now)
        } else {
            let reference = page.rsplit('/').next().unwrap_or_default();
            let mut checkouts = self.sandbox.lock().unwrap_or_else(PoisonError::into_inner);
            checkouts.act(reference, action, now).map(|webhook| Callback::from_sandbox(webhook, SANDBOX_SECRET))
        }
    }

    /// Returns the last callback of Stripe or PayFast about a checkout.
    pub(crate) fn last_callback(&self, checkout: &Value) -> Option<Callback> {
        match FakeStripe::session_of(page(checkout)) {
            Some(session) => self.stripe.resend(session),
            None => self.payfast.resend(form(checkout).get("BASKET_ID")?),
        }
    }
}
