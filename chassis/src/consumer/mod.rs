//! The consumer: every event of others has its effect once, and none holds up the rest.
//!
//! A record is handled at once, in one commit with its receipt. What must wait goes to a table of the consumer's
//! database, and later records of the same handler and key queue behind it; the partition goes on. Records are taken in
//! chunks: lanes by key run side by side, then the chunk's offsets are committed.

mod group;
mod inbox;
mod retry;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use mart_kernel::Unavailable;

use crate::Record;
use crate::record::{Raw, Unusable};

pub(crate) use group::run;
pub(crate) use inbox::{Inbox, Letter};
pub(crate) use retry::run as retry;

/// An event of another service and the reaction to it; generated code has one for each.
#[derive(Debug)]
pub struct Consumed {
    /// The topic, without the prefix of the environment.
    pub topic: &'static str,
    /// The full name of the event's message.
    pub kind: &'static str,
    /// The reaction's name, part of the receipts.
    pub handler: &'static str,
}

/// How a reaction ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reaction {
    /// Its effect is committed, now or before.
    Applied,
    /// It has none, for this reason; nothing has to be kept.
    Ignored(&'static str),
    /// It can't be told yet, for this reason: what it builds on has not been seen, or something failed for now.
    Wait(String),
    /// It can never be told, for this reason: a dead letter.
    Dead(&'static str),
}

/// Why a reaction could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    /// The database is away: the record stays where it is and no attempt is counted.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The payload is not the message that the record says it is.
    #[error("the payload can't be decoded: {0}")]
    Undecodable(#[from] prost::DecodeError),
    /// The contract has no such reaction any more.
    #[error("there is no handler of this name")]
    NoHandler,
}

/// Calls the reaction of a name with a record; wiring makes it of the generated `dispatch`.
pub type Dispatch = Arc<dyn Fn(String, Record) -> BoxFuture<'static, Result<Reaction, DispatchError>> + Send + Sync>;

/// What a service consumes and who reacts.
#[derive(Clone)]
pub struct Reactions {
    /// Everything that the contract says is consumed.
    pub consumed: &'static [Consumed],
    /// Calls a reaction.
    pub dispatch: Dispatch,
}

impl Reactions {
    /// Reacts to these events by calling this.
    pub fn new<F>(consumed: &'static [Consumed], dispatch: impl Fn(String, Record) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Reaction, DispatchError>> + Send + 'static,
    {
        Self { consumed, dispatch: Arc::new(move |handler, record| Box::pin(dispatch(handler, record))) }
    }
}

impl std::fmt::Debug for Reactions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reactions").field("consumed", &self.consumed).finish_non_exhaustive()
    }
}

/// How long one reaction may take.
const LONGEST: Duration = Duration::from_secs(30);

/// How one delivery of a record to one handler ended.
#[derive(Debug)]
enum Outcome {
    /// Nothing more is to be done.
    Done,
    /// It has to be tried again, later.
    Wait(String),
    /// It can never be handled.
    Dead(String),
}

/// Calls one reaction; `Err` only where the database is away.
async fn deliver(dispatch: &Dispatch, handler: &str, record: Result<Record, Unusable>) -> Result<Outcome, Unavailable> {
    let record = match record {
        Ok(record) => record,
        Err(unusable) => return Ok(Outcome::Dead(unusable.to_string())),
    };
    let context = crate::trace::TraceContext::parse(&record.traceparent);
    let context = context.map_or_else(crate::trace::TraceContext::root, crate::trace::TraceContext::child);
    let (kind, id) = (record.kind.clone(), record.id);
    let started = std::time::Instant::now();
    let span = tracing::info_span!("event", trace_id = %context.trace_id(), handler, kind, event = %id);
    let work = crate::points::during(handler, (dispatch)(handler.to_owned(), record));
    // In a task of its own, so that a panic is one failed attempt and no more.
    let work = tokio::time::timeout(
        LONGEST,
        crate::trace::within(context, tracing::Instrument::instrument(work, span.clone())),
    );
    let ended = tokio::spawn(work)
        .await
        .map(|in_time| in_time.unwrap_or_else(|_| Ok(Reaction::Wait("it took too long".to_owned()))));
    let (outcome, how) = match ended {
        Ok(Ok(Reaction::Applied)) => (Outcome::Done, "applied"),
        Ok(Ok(Reaction::Ignored(_))) => (Outcome::Done, "ignored"),
        Ok(Ok(Reaction::Wait(why))) => (Outcome::Wait(why), "waits"),
        Ok(Ok(Reaction::Dead(why))) => (Outcome::Dead(why.to_owned()), "refused"),
        Ok(Err(DispatchError::Unavailable(Unavailable::Away))) => return Err(Unavailable::Away),
        Ok(Err(DispatchError::Unavailable(Unavailable::Failed))) => {
            (Outcome::Wait("the database refused it; see the log".to_owned()), "failed")
        }
        Ok(Err(error)) => (Outcome::Dead(error.to_string()), "undeliverable"),
        Err(_) => (Outcome::Wait("the handler panicked".to_owned()), "panicked"),
    };
    span.in_scope(|| tracing::debug!(outcome = how, "handled"));
    crate::points::pass!("consumer.handled", handler);
    let labels = [("handler", handler.to_owned()), ("outcome", how.to_owned())];
    metrics::counter!("events_handled_total", &labels).increment(1);
    metrics::histogram!("event_duration_seconds", &labels[..1]).record(started.elapsed().as_secs_f64());
    Ok(outcome)
}

/// The pause after so many attempts at something: doubled each time, up to a ceiling.
fn backoff(attempts: u32, ceiling: Duration) -> Duration {
    Duration::from_millis(250).saturating_mul(1 << attempts.min(16)).min(ceiling)
}

/// The longest key that is kept as it is, in bytes: an index entry of PostgreSQL has room for some thousand.
const LONGEST_KEY: usize = 255;

/// The name under which a record waits, and the key that it holds up: its own event id and key, or else a hash. What other
/// people's records say is never more than PostgreSQL can keep.
fn name_and_key(raw: &Raw) -> (String, String) {
    let id =
        raw.header("ce_id").and_then(|id| uuid::Uuid::parse_str(id).ok()).filter(|_| raw.header("ce_type").is_some());
    let name = id.map_or_else(|| raw.hash(), |id| id.to_string());
    let key = raw.key.as_deref().filter(|_| id.is_some()).map(|bytes| match std::str::from_utf8(bytes) {
        Ok(key) if key.len() <= LONGEST_KEY && !key.contains('\0') => key.to_owned(),
        _ => Raw { key: Some(bytes.to_vec()), ..Raw::default() }.hash(),
    });
    let key = key.unwrap_or_else(|| name.clone());
    (name, key)
}
