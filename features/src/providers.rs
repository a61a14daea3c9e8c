//! The payment providers that a mart of scenarios asks for money: none of them takes any.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use devstack::providers::{Callback, FakePayFast, FakeStripe};
use devstack::sandbox::{Action, Books, Refused};
use serde_json::Value;
use time::OffsetDateTime;

/// The sandbox, which a service of the mart and the scenario's customer share.
pub type Sandbox = Arc<Mutex<Books>>;

/// What the sandbox of scenarios in the process signs its words with.
pub const SANDBOX_SECRET: &str = "a scenario's sandbox";

/// All that are on. Clones are the same ones.
#[derive(Debug, Clone, Default)]
pub struct Providers {
    /// Our own.
    pub sandbox: Sandbox,
    /// One that behaves as Stripe does.
    pub stripe: FakeStripe,
    /// One that behaves as PayFast does.
    pub payfast: FakePayFast,
}

/// The form that a checkout lets the customer's browser send.
fn form(checkout: &Value) -> HashMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fields = checkout["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
    fields.iter().map(|field| (text(&field["name"]), text(&field["value"]))).collect()
}

/// Whether a checkout is the sandbox's.
pub(crate) fn is_sandbox(checkout: &Value) -> bool {
    form(checkout).is_empty() && FakeStripe::session_of(page(checkout)).is_none()
}

/// The page of a checkout.
pub(crate) fn page(checkout: &Value) -> &str {
    checkout["url"].as_str().unwrap_or_default()
}

impl Providers {
    /// A customer does something with a checkout; what comes of it.
    pub(crate) fn act(&self, checkout: &Value, action: &Action, now: OffsetDateTime) -> Result<Callback, Refused> {
        let (page, form) = (page(checkout), form(checkout));
        if !form.is_empty() {
            self.payfast.act(&form, action)
        } else if let Some(session) = FakeStripe::session_of(page) {
            self.stripe.act(session, action, now)
        } else {
            let reference = page.rsplit('/').next().unwrap_or_default();
            let mut books = self.sandbox.lock().unwrap_or_else(PoisonError::into_inner);
            books.act(reference, action, now).map(|word| Callback::of_sandbox(word, SANDBOX_SECRET))
        }
    }

    /// What Stripe or PayFast said last of a checkout, said again.
    pub(crate) fn again(&self, checkout: &Value) -> Option<Callback> {
        match FakeStripe::session_of(page(checkout)) {
            Some(session) => self.stripe.again(session),
            None => self.payfast.again(form(checkout).get("BASKET_ID")?),
        }
    }
}
