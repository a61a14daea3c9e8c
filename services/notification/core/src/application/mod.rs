//! The use cases. Each commits at most once; letters are sent after it, never within.

mod preferences;
mod read;
mod send;
mod tell;

use std::sync::Arc;

use mart_kernel::{Clock, IdGenerator, PageTokenSigner};

use crate::domain::Policy;
use crate::ports::{Courier, Letters};

pub use preferences::PreferError;
pub use read::{AgainError, ListError};
pub use tell::{Heard, PaymentNews};

/// Who carries letters, by channel.
#[derive(Clone)]
pub struct Couriers {
    /// To mailboxes.
    pub mail: Arc<dyn Courier>,
    /// To phones.
    pub sms: Arc<dyn Courier>,
}

/// The use cases over their ports.
#[derive(Clone)]
pub struct UseCases<S> {
    store: S,
    letters: Arc<dyn Letters>,
    couriers: Couriers,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    seal: PageTokenSigner,
    policy: Policy,
}

impl<S> UseCases<S> {
    /// Puts the use cases over their ports; `seal` makes page tokens, `policy` says how letters are tried.
    pub fn new(
        store: S,
        letters: Arc<dyn Letters>,
        couriers: Couriers,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
        seal: PageTokenSigner,
        policy: Policy,
    ) -> Self {
        Self { store, letters, couriers, clock, ids, seal, policy }
    }
}

impl<S> std::fmt::Debug for UseCases<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UseCases")
    }
}
