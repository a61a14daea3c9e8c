//! The sandbox: a payment provider that takes no money, for development and tests. It has a hosted payment page, an API and signed
//! webhooks, and can simulate the faults of real providers.

mod checkouts;
mod page;
mod process;
mod serve;

pub use checkouts::{Action, ActionError, ActionKind, Checkouts, WebhookDelivery, sign};
pub use process::{Access, PAYMENT, SandboxProcess};
pub use serve::{Now, SandboxConfig, routes, serve};
