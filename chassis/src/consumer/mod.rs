//! The consumer: applies each event of other services exactly once, and no event blocks the others.
//!
//! A handler processes a record and commits its effect together with the receipt. A record that has to be retried is stored in
//! the inbox table. Later records with the same handler and key queue behind it; the partition continues. Records are processed
//! in chunks: lanes by key run concurrently, then the chunk's offsets are committed.

mod group;
mod inbox;
mod retry;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use mart_kernel::{EventOutcome, StoreError};

use crate::Record;
use crate::record::{InvalidRecord, RawRecord};

pub(crate) use group::run;
pub(crate) use inbox::{DeadLetter, Inbox};
pub(crate) use retry::run as retry;

/// An event of another service and its handler. Generated code has one for each.
#[derive(Debug)]
pub struct Subscription {
    /// The topic, without the environment's prefix.
    pub topic: &'static str,
    /// The full name of the event's message.
    pub event_type: &'static str,
    /// The handler's name, which is the scope of its receipts.
    pub handler: &'static str,
}

/// The result of a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The effect is committed, by this attempt or an earlier one.
    Applied,
    /// The event has no effect here, for this reason. No receipt is stored.
    Ignored(&'static str),
    /// The event cannot be processed yet, for this reason: an earlier event is missing, or an error is transient.
    Retry(String),
    /// The event can never be processed, for this reason. It becomes a dead letter.
    Reject(&'static str),
}

impl From<EventOutcome> for Outcome {
    fn from(outcome: EventOutcome) -> Self {
        match outcome {
            EventOutcome::Applied => Self::Applied,
            EventOutcome::Ignored => Self::Ignored("the event has no effect"),
            EventOutcome::NotReady(reason) => Self::Retry(reason.to_owned()),
            EventOutcome::Rejected(reason) => Self::Reject(reason),
        }
    }
}

/// The errors before a handler is called.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    /// The database failed. If it is unavailable, the record stays on its partition and no attempt is counted.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
    /// The payload is not the message that the record says it is.
    #[error("the payload can't be decoded: {0}")]
    Undecodable(#[from] prost::DecodeError),
    /// The contract no longer has this handler.
    #[error("there is no handler of this name")]
    NoHandler,
}

/// Calls the handler with this name. The generated `handlers` function creates it.
pub type Dispatch = Arc<dyn Fn(String, Record) -> BoxFuture<'static, Result<Outcome, DispatchError>> + Send + Sync>;

/// The event handlers of a service.
#[derive(Clone)]
pub struct EventHandlers {
    /// The events that the contract subscribes to.
    pub subscriptions: &'static [Subscription],
    /// Calls a handler.
    pub dispatch: Dispatch,
}

impl EventHandlers {
    /// Handles these events by calling `dispatch`.
    pub fn new<F>(
        subscriptions: &'static [Subscription],
        dispatch: impl Fn(String, Record) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Outcome, DispatchError>> + Send + 'static,
    {
        Self { subscriptions, dispatch: Arc::new(move |handler, record| Box::pin(dispatch(handler, record))) }
    }
}

impl std::fmt::Debug for EventHandlers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventHandlers").field("subscriptions", &self.subscriptions).finish_non_exhaustive()
    }
}

/// The longest that one handler may take.
const HANDLER_TIMEOUT: Duration = Duration::from_secs(30);

/// The result of one delivery of a record to one handler.
#[derive(Debug)]
enum Delivery {
    /// The record is processed.
    Done,
    /// The record has to be retried.
    Retry(String),
    /// The record can never be processed.
    Reject(String),
}

/// Calls one handler. An error only if the database is unavailable.
async fn deliver(
    dispatch: &Dispatch,
    handler: &str,
    record: Result<Record, InvalidRecord>,
) -> Result<Delivery, StoreError> {
    let record = match record {
        Ok(record) => record,
        Err(invalid) => return Ok(Delivery::Reject(invalid.to_string())),
    };
    let context = crate::trace::TraceContext::parse(&record.traceparent);
    let context = context.map_or_else(crate::trace::TraceContext::root, crate::trace::TraceContext::child);
    let (event_type, id) = (record.event_type.clone(), record.id);
    let started = std::time::Instant::now();
    let span = tracing::info_span!("event", trace_id = %context.trace_id(), handler, event_type, event = %id);
    let work = crate::failpoints::during(handler, (dispatch)(handler.to_owned(), record));
    // In a separate task, so that a panic is only one failed attempt.
    let work = tokio::time::timeout(
        HANDLER_TIMEOUT,
        crate::trace::within(context, tracing::Instrument::instrument(work, span.clone())),
    );
    let ended = tokio::spawn(work)
        .await
        .map(|in_time| in_time.unwrap_or_else(|_| Ok(Outcome::Retry("the handler timed out".to_owned()))));
    let (outcome, how) = match ended {
        Ok(Ok(Outcome::Applied)) => (Delivery::Done, "applied"),
        Ok(Ok(Outcome::Ignored(_))) => (Delivery::Done, "ignored"),
        Ok(Ok(Outcome::Retry(reason))) => (Delivery::Retry(reason), "retry"),
        Ok(Ok(Outcome::Reject(reason))) => (Delivery::Reject(reason.to_owned()), "rejected"),
        Ok(Err(DispatchError::Unavailable(StoreError::Unavailable))) => return Err(StoreError::Unavailable),
        Ok(Err(DispatchError::Unavailable(StoreError::Internal))) => {
            (Delivery::Retry("the database rejected the statement; see the log".to_owned()), "failed")
        }
        Ok(Err(error)) => (Delivery::Reject(error.to_string()), "undeliverable"),
        Err(_) => (Delivery::Retry("the handler panicked".to_owned()), "panicked"),
    };
    span.in_scope(|| tracing::debug!(outcome = how, "handled"));
    crate::failpoints::failpoint!("consumer.handled", handler);
    let labels = [("handler", handler.to_owned()), ("outcome", how.to_owned())];
    metrics::counter!("events_handled_total", &labels).increment(1);
    metrics::histogram!("event_handling_duration_seconds", &labels[..1]).record(started.elapsed().as_secs_f64());
    Ok(outcome)
}

/// Returns the pause after this many attempts: 250 ms, doubled after each attempt up to `max`.
fn backoff(attempts: u32, max: Duration) -> Duration {
    Duration::from_millis(250).saturating_mul(1 << attempts.min(16)).min(max)
}

/// The longest key in bytes that is stored unchanged. A PostgreSQL index entry holds a few thousand bytes.
const LONGEST_KEY: usize = 255;

/// Returns the name and the key under which the inbox stores a record: the event's id and key, or a hash for one that is missing or
/// can't be stored.
fn name_and_key(raw: &RawRecord) -> (String, String) {
    let id =
        raw.header("ce_id").and_then(|id| uuid::Uuid::parse_str(id).ok()).filter(|_| raw.header("ce_type").is_some());
    let name = id.map_or_else(|| raw.hash(), |id| id.to_string());
    let key = raw.key.as_deref().filter(|_| id.is_some()).map(|bytes| match std::str::from_utf8(bytes) {
        Ok(key) if key.len() <= LONGEST_KEY && !key.contains('\0') => key.to_owned(),
        _ => RawRecord { key: Some(bytes.to_vec()), ..RawRecord::default() }.hash(),
    });
    let key = key.unwrap_or_else(|| name.clone());
    (name, key)
}
