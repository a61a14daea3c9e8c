//! The commit of a use case: its write, its events and its receipt, all or nothing.
//!
//! A core returns these values; an adapter turns them into one SQL statement.

use uuid::Uuid;

use crate::{IdGenerator, Timestamp, Version};

/// Idempotency record: marks a request or an event as processed. Its key is unique within its scope.
///
/// For an event, the scope is the handler's name and the key is the event's id. For an Idempotency-Key, the scope is the
/// operation and its caller, and the key is the client's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The handler, or the operation with its caller.
    pub scope: String,
    /// The event's id, or the client's Idempotency-Key.
    pub key: String,
    /// A digest of the request. It detects a key that is reused with another request.
    pub fingerprint: [u8; 32],
    /// The id of the resource that the request created. A repeated request returns this resource.
    pub subject: String,
}

/// Builds the receipt of a client's Idempotency-Key from the id of the created resource.
pub type ReceiptBuilder = Box<dyn FnOnce(String) -> Receipt + Send>;

/// An event of one aggregate with its id, time and version, ready to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventEnvelope<E> {
    /// The event's id. It is never reused; consumers apply an id once.
    pub id: Uuid,
    /// When the event happened, in business time.
    pub at: Timestamp,
    /// The aggregate's version after the event.
    pub version: Version,
    /// The domain's event.
    pub payload: E,
}

impl<E> EventEnvelope<E> {
    /// Adds ids, the time and the version of its aggregate to each event.
    pub fn all(events: Vec<E>, at: Timestamp, ids: &dyn IdGenerator, version: impl Fn(&E) -> Version) -> Vec<Self> {
        let envelope = |payload: E| Self { id: ids.next(), at, version: version(&payload), payload };
        events.into_iter().map(envelope).collect()
    }
}

/// Everything that one use case changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit<W, E> {
    /// The service's own write; `None` if the commit has only events or a receipt.
    pub write: Option<W>,
    /// The events, in the order in which they happened.
    pub events: Vec<EventEnvelope<E>>,
    /// The receipt; `None` if the client sent no Idempotency-Key.
    pub receipt: Option<Receipt>,
}

/// The result of applying an event of another service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventOutcome {
    /// The effect is committed, by this attempt or an earlier one.
    Applied,
    /// The event has no effect.
    Ignored,
    /// The event cannot be applied yet, for this reason, such as an earlier event that is missing. It is retried.
    NotReady(&'static str),
    /// The event can never be applied, for this reason: it contradicts the state. It becomes a dead letter.
    Rejected(&'static str),
}

/// The result of a commit that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitOutcome {
    /// The commit is durable.
    Committed,
    /// The receipt already existed. Nothing was changed.
    AlreadyProcessed {
        /// The subject of the first request's receipt.
        subject: String,
        /// Whether both requests have the same fingerprint.
        same_request: bool,
    },
}

/// The errors of a commit. Nothing was stored, unless the connection was lost. `U` names the service's unique values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError<U> {
    /// The row was changed or deleted since it was read.
    #[error("the row was changed concurrently")]
    Conflict,
    /// Another row has this unique value.
    #[error("the value is taken")]
    Duplicate(U),
    /// The store failed. The commit may have succeeded if the connection was lost.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// The errors of a store. The adapter has logged the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store is unreachable or overloaded. A later attempt can succeed.
    #[error("the store is unavailable")]
    Unavailable,
    /// The store rejected the statement. Every attempt fails until the cause is fixed.
    #[error("the store rejected the statement")]
    Internal,
}
