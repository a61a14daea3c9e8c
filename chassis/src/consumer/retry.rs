//! Another attempt at what waits, by any replica, one queue at a time.

use std::time::Duration;

use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::inbox::{Due, Inbox};
use super::{Outcome, Reactions, backoff, deliver};
use crate::config::Retries;

/// How often the table is looked at.
const POLL: Duration = Duration::from_millis(250);
const AT_ONCE: usize = 8;

/// Tries until `stop`.
pub(crate) async fn run(inbox: Inbox, reactions: Reactions, prefix: String, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let found = match inbox.due(64).await {
            Ok(due) => {
                let found = !due.is_empty();
                let attempts = due.into_iter().map(|due| attempt(&inbox, &reactions, &prefix, due));
                // What is not tried before the stop is tried when its lease has ended.
                let mut attempts = futures::stream::iter(attempts).buffer_unordered(AT_ONCE);
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

async fn attempt(inbox: &Inbox, reactions: &Reactions, prefix: &str, due: Due) {
    let Retries { ceiling, attempts, .. } = inbox.retries;
    let outcome = deliver(&reactions.dispatch, &due.handler, due.raw.record(prefix)).await;
    let kept = match outcome {
        Err(_) => inbox.give_back(due.position).await,
        Ok(Outcome::Done) => inbox.done(due.position).await,
        Ok(Outcome::Wait(why)) if due.expired || due.attempts + 1 >= attempts => inbox.bury(due.position, &why).await,
        Ok(Outcome::Wait(why)) => inbox.again(due.position, &why, backoff(due.attempts, ceiling)).await,
        Ok(Outcome::Dead(why)) => inbox.bury(due.position, &why).await,
    };
    if kept.is_err() {
        // The lease ends by itself, and the attempt is made again: receipts make that harmless.
        tracing::debug!("the outcome of an attempt could not be kept");
    }
}
