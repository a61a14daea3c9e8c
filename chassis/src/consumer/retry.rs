//! Retries the records of the inbox. Any replica may take the next record of a queue.

use std::time::Duration;

use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::inbox::{Due, Inbox};
use super::{Delivery, EventHandlers, backoff, deliver};
use crate::config::Retries;

/// The time between two queries if nothing is due.
const POLL: Duration = Duration::from_millis(250);
const CONCURRENCY: usize = 8;

/// Retries until `stop`.
pub(crate) async fn run(inbox: Inbox, handlers: EventHandlers, prefix: String, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let found = match inbox.due(64).await {
            Ok(due) => {
                let found = !due.is_empty();
                let attempts = due.into_iter().map(|due| attempt(&inbox, &handlers, &prefix, due));
                // Records that are not retried before the stop are retried after their lease has expired.
                let mut attempts = futures::stream::iter(attempts).buffer_unordered(CONCURRENCY);
                while attempts.next().await.is_some() && !stop.is_cancelled() {}
                found
            }
            Err(_) => false,
        };
        if !found {
            tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(POLL) => {} }
        }
    }
}

async fn attempt(inbox: &Inbox, handlers: &EventHandlers, prefix: &str, due: Due) {
    let Retries { max_backoff, max_attempts, .. } = inbox.retries;
    let outcome = deliver(&handlers.dispatch, &due.handler, due.raw.record(prefix)).await;
    let stored = match outcome {
        Err(_) => inbox.release_lease(due.position).await,
        Ok(Delivery::Done) => inbox.complete(due.position).await,
        Ok(Delivery::Retry(reason)) if due.expired || due.attempts + 1 >= max_attempts => {
            inbox.dead_letter(due.position, &reason).await
        }
        Ok(Delivery::Retry(reason)) => {
            inbox.reschedule(due.position, &reason, backoff(due.attempts, max_backoff)).await
        }
        Ok(Delivery::Reject(reason)) => inbox.dead_letter(due.position, &reason).await,
    };
    if stored.is_err() {
        // The lease expires and the attempt is repeated; the receipt prevents a second effect.
        tracing::debug!("the result of an attempt could not be stored");
    }
}
