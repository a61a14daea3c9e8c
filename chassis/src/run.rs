//! The life of a service: serve, relay, consume, and on SIGTERM drain within the budget.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use futures::future::BoxFuture;
use include_dir::Dir;
use mart_kernel::Unavailable;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::Keys;
use crate::config::{Config, Limits};
use crate::consumer::{self, Inbox, Reactions};
use crate::http::{self, server};
use crate::internal::{self, Internal};
use crate::trace::{self, TraceContext};
use crate::{Database, db, kafka, points, relay, telemetry};

/// How long receipts of requests are kept, in days. Those of events outlive their topic's retention by as much.
const KEY_DAYS: i32 = 7;
const EVENT_DAYS: i32 = 30 + KEY_DAYS;
const SWEEP: Duration = Duration::from_mins(10);

/// A service put together by its wiring.
#[derive(Debug)]
pub struct Service {
    /// Its operations.
    pub routes: Router,
    /// What it consumes.
    pub reactions: Reactions,
    /// Its database.
    pub database: Database,
    /// The keys whose tokens it takes.
    pub keys: Arc<Keys>,
    /// What it does by itself, when time has passed.
    pub sweeps: Vec<Sweep>,
}

/// Work that time makes due: every replica looks for it, and what it finds is done once, because each is a commit of its
/// own.
#[derive(Clone)]
pub struct Sweep {
    name: &'static str,
    every: Duration,
    run: Arc<dyn Fn() -> BoxFuture<'static, Result<usize, Unavailable>> + Send + Sync>,
}

impl Sweep {
    /// Runs this again and again: at once while it gets something done, and after a pause where it does not.
    pub fn new<F>(name: &'static str, every: Duration, run: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<usize, Unavailable>> + Send + 'static,
    {
        Self { name, every, run: Arc::new(move || Box::pin(run())) }
    }

    /// Its name, as its metric has it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Looks once; how much it got done.
    pub async fn once(&self) -> Result<usize, Unavailable> {
        (self.run)().await
    }

    async fn until(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let (sweep, within) = (self.clone(), TraceContext::root());
            // In a task of its own, so that a panic is one look that failed and not the end of all.
            let looked =
                tokio::spawn(trace::within(within, async move { points::during(sweep.name, sweep.once()).await }))
                    .await;
            metrics::counter!("sweeps_total", "sweep" => self.name).increment(1);
            match looked {
                Ok(Ok(done)) if done > 0 => {
                    tracing::debug!(sweep = self.name, done, "swept");
                    continue;
                }
                // What a database said was logged where it was found out.
                Ok(_) => {}
                Err(error) => tracing::error!(sweep = self.name, %error, "a sweep panicked; it is tried again"),
            }
            tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(self.every) => {} }
        }
    }
}

impl std::fmt::Debug for Sweep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sweep").field("name", &self.name).field("every", &self.every).finish_non_exhaustive()
    }
}

/// A topic that a service owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    /// Its name, without the prefix of the environment.
    pub name: &'static str,
    /// How many minutes it keeps a record.
    pub retention_minutes: u32,
}

/// Why a service could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The database.
    #[error("the database could not be migrated: {0}")]
    Database(#[from] db::MigrationFailed),
    /// Kafka.
    #[error("the topics could not be made: {0}")]
    Kafka(#[from] rdkafka::error::KafkaError),
}

/// `service migrate`: brings the database to this version's schema, as its owner, and makes the topics that are missing.
pub async fn migrate(config: &Config, migrations: &'static Dir<'static>, topics: &[Topic]) -> Result<(), PrepareError> {
    db::migrate(config, migrations).await?;
    kafka::create_topics(config, topics).await?;
    tracing::info!("the database and the topics are ready");
    Ok(())
}

/// Serves until SIGTERM or SIGINT, then drains: readiness turns red, requests and the chunk at hand are finished, the
/// outbox is flushed. What is not done when the budget ends is done by the next start.
pub async fn serve(config: Config, service: Service) -> io::Result<()> {
    #[cfg(debug_assertions)]
    let _points = points::set_up();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let public = server::listen(config.http_addr).await?;
    let inner = server::listen(config.internal_addr).await?;
    tracing::info!(http = %public.local_addr()?, internal = %inner.local_addr()?, "serving");

    let draining = Arc::new(AtomicBool::new(false));
    let (stop, stop_relay, stop_internal) =
        (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());
    let inbox = Inbox::new(service.database.clone(), config.retries);
    let internal = Internal { database: service.database.clone(), inbox: inbox.clone(), draining: draining.clone() };
    let grace = config.shutdown_budget / 2;

    let work = TaskTracker::new();
    let (routes, limits) = (http::protect(service.routes, &config.limits), config.limits.clone());
    work.spawn({
        let stop = stop.clone();
        async move { server::serve(public, routes, &limits, stop, grace).await }
    });
    if !service.reactions.consumed.is_empty() {
        work.spawn(consumer::run(config.clone(), inbox.clone(), service.reactions.clone(), stop.clone()));
        let prefix = config.topic_prefix.clone();
        work.spawn(consumer::retry(inbox, service.reactions, prefix, stop.clone()));
    }
    for sweep in service.sweeps {
        work.spawn(sweep.until(stop.clone()));
    }
    work.close();
    let last = TaskTracker::new();
    last.spawn(relay::run(config.clone(), service.database.clone(), stop_relay.clone(), config.shutdown_budget / 8));
    last.spawn({
        let (stop, limits) = (stop_internal.clone(), Limits::default());
        let routes = http::protect(internal::router(internal), &limits);
        async move { server::serve(inner, routes, &limits, stop, Duration::ZERO).await }
    });
    last.close();
    let background = [
        tokio::spawn(sweep(service.database.clone())),
        tokio::spawn(service.keys.follow()),
        tokio::spawn(telemetry::upkeep()),
    ];

    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    tracing::info!("draining");
    draining.store(true, Ordering::Relaxed);
    let drain = async {
        stop.cancel();
        work.wait().await;
        // Only now: a request that was just finished may have left an event in the outbox.
        stop_relay.cancel();
        stop_internal.cancel();
        last.wait().await;
        service.database.close().await;
    };
    if tokio::time::timeout(config.shutdown_budget, drain).await.is_err() {
        tracing::warn!("the budget for the drain ended first");
    }
    background.iter().for_each(tokio::task::JoinHandle::abort);
    tracing::info!("stopped");
    Ok(())
}

/// Takes receipts away that can't be asked for any more.
async fn sweep(database: Database) {
    // A receipt of a request has a fingerprint; that of an event is all zeros.
    // Some at a time, so that a backlog is worked off and never cancelled as a whole.
    let sql = "delete from receipt where ctid = any(array(select ctid from receipt \
               where at < now() - make_interval(days => $1) and (at < now() - make_interval(days => $2) \
               or fingerprint <> decode(repeat('00', 32), 'hex')) limit 10000))";
    let mut more = false;
    loop {
        if !more {
            tokio::time::sleep(SWEEP).await;
        }
        more = match sqlx::query(sql).bind(KEY_DAYS).bind(EVENT_DAYS).execute(database.pool()).await {
            Ok(done) => done.rows_affected() == 10_000,
            Err(error) => {
                tracing::warn!(%error, "receipts could not be swept");
                false
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[tokio::test]
    async fn a_sweep_that_panics_or_fails_is_tried_again() {
        let (looks, stop) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
        let sweep = Sweep::new("test", Duration::from_millis(1), {
            let (looks, stop) = (looks.clone(), stop.clone());
            move || {
                let (look, stop) = (looks.fetch_add(1, Ordering::Relaxed), stop.clone());
                async move {
                    match look {
                        0 => panic!("a row that nobody expected"),
                        1 => Err(Unavailable::Failed),
                        2 => Ok(1),
                        _ => {
                            stop.cancel();
                            Ok(0)
                        }
                    }
                }
            }
        });
        tokio::time::timeout(Duration::from_secs(20), sweep.until(stop)).await.expect("it came to its fourth look");
        assert_eq!(looks.load(Ordering::Relaxed), 4);
    }
}
