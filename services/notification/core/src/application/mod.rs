//! The use cases. Each commits at most once; letters are sent after it, never within.

mod preferences;
mod read;
mod send;
mod tell;

use std::sync::Arc;

use mart_kernel::{Clock, Ids, PageSeal};
use time::Duration;

use crate::domain::BACKOFF;
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

/// How letters are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How long to wait after a first try that failed.
    pub backoff: Duration,
    /// Whoever sends a letter has so long to do it; then somebody else tries. Longer than any courier waits for a server.
    pub lease: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { backoff: BACKOFF, lease: Duration::minutes(2) }
    }
}

/// The use cases over their ports.
#[derive(Clone)]
pub struct UseCases<S> {
    store: S,
    letters: Arc<dyn Letters>,
    couriers: Couriers,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    seal: PageSeal,
    pace: Pace,
}

impl<S> UseCases<S> {
    /// Puts the use cases over their ports; `seal` makes page tokens.
    pub fn new(
        store: S,
        letters: Arc<dyn Letters>,
        couriers: Couriers,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        seal: PageSeal,
        pace: Pace,
    ) -> Self {
        Self { store, letters, couriers, clock, ids, seal, pace }
    }
}

impl<S> std::fmt::Debug for UseCases<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UseCases")
    }
}
