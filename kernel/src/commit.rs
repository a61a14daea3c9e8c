//! A use case commits once: what it writes, what it tells and what it answered, all or nothing.
//!
//! These are the words in which a core says what shall happen; an adapter makes one SQL statement of them.

use uuid::Uuid;

use crate::{Timestamp, Version};

/// The proof that a request or an event was dealt with: a key that is unique within its scope.
///
/// For an event the scope is the handler's name and the key the event's id. For an Idempotency-Key the scope is the
/// operation and its caller and the key is the client's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Who deals with it.
    pub scope: String,
    /// What is dealt with.
    pub key: String,
    /// A digest of the request, so that the same key with another request is found out.
    pub fingerprint: [u8; 32],
    /// The id of what the request made, so that a repeat can be answered.
    pub subject: String,
}

/// Makes the receipt that a client's Idempotency-Key asks for, once the id of what the request makes is known.
pub type ReceiptFor = Box<dyn FnOnce(String) -> Receipt + Send>;

/// A fact about one aggregate, as it is told to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<E> {
    /// Unique for ever: consumers apply an id once.
    pub id: Uuid,
    /// When it happened, in business time.
    pub at: Timestamp,
    /// The aggregate's version after it.
    pub version: Version,
    /// What happened.
    pub fact: E,
}

/// All that one use case changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit<W, E> {
    /// The service's own write; `None` where only events or a receipt are kept.
    pub write: Option<W>,
    /// In the order in which they happened.
    pub events: Vec<Event<E>>,
    /// `None` where the client gave no Idempotency-Key.
    pub receipt: Option<Receipt>,
}

/// How a commit ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It is kept, for good.
    Committed,
    /// Its receipt was there already, and nothing was changed.
    AlreadyProcessed {
        /// The subject that the first request's receipt named.
        subject: String,
        /// Whether the first request had the same fingerprint.
        same_request: bool,
    },
}

/// How a commit failed: nothing of it is kept. `U` names the service's unique values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError<U> {
    /// The row has another version than the one that was read, or is gone.
    #[error("somebody else changed it in between")]
    Conflict,
    /// A value that has to be unique is somebody else's.
    #[error("the value is taken")]
    Taken(U),
    /// The store did not answer, or not in a way that tells whether the commit was kept.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A store that did not do what it was asked. The adapter that found out has logged why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// It can't be reached, or is too busy: the same will succeed later.
    #[error("the store can't be reached now")]
    Away,
    /// It refused what it was asked: the same will be refused again, until somebody mends it.
    #[error("the store refused")]
    Failed,
}
