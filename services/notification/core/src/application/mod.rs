//! The use cases. Each commits at most once. Messages are sent after the commit, never inside a transaction.

mod on_events;
mod preferences;
mod read;
mod send;

use std::sync::Arc;

use mart_kernel::{Clock, IdGenerator, PageTokenSigner};

use crate::domain::Policy;
use crate::ports::{MessageRenderer, MessageSender};

pub use on_events::{EventContext, PaymentUpdate};
pub use preferences::PreferenceError;
pub use read::{ListError, ResendError};

/// The sender of each channel.
#[derive(Clone)]
pub struct MessageSenders {
    /// Sends mails.
    pub mail: Arc<dyn MessageSender>,
    /// Sends text messages.
    pub sms: Arc<dyn MessageSender>,
}

/// The use cases with their ports.
#[derive(Clone)]
pub struct UseCases<S> {
    store: S,
    renderer: Arc<dyn MessageRenderer>,
    senders: MessageSenders,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    page_tokens: PageTokenSigner,
    policy: Policy,
}

impl<S> UseCases<S> {
    /// Creates the use cases. `page_tokens` signs page tokens; `policy` has the retries.
    pub fn new(
        store: S,
        renderer: Arc<dyn MessageRenderer>,
        senders: MessageSenders,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
        page_tokens: PageTokenSigner,
        policy: Policy,
    ) -> Self {
        Self { store, renderer, senders, clock, ids, page_tokens, policy }
    }
}

impl<S> std::fmt::Debug for UseCases<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UseCases")
    }
}
