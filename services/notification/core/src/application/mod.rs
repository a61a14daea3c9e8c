//! The use cases. Each commits at most once; renderer are sent after it, never within.

mod on_events;
mod preferences;
mod read;
mod send;

use std::sync::Arc;

use mart_kernel::{Clock, IdGenerator, PageTokenSigner};

use crate::domain::Policy;
use crate::ports::{MessageRenderer, MessageSender};

pub use on_events::{Heard, PaymentNews};
pub use preferences::PreferError;
pub use read::{AgainError, ListError};

/// Who carries renderer, by channel.
#[derive(Clone)]
pub struct MessageSenders {
    /// To mailboxes.
    pub mail: Arc<dyn MessageSender>,
    /// To phones.
    pub sms: Arc<dyn MessageSender>,
}

/// The use cases over their ports.
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
    /// Puts the use cases over their ports; `page_tokens` makes page tokens, `policy` says how renderer are tried.
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
