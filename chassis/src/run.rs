//! The lifecycle of a service: serve, relay, consume, and shut down gracefully on SIGTERM.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use futures::future::BoxFuture;
use include_dir::Dir;
use mart_kernel::StoreError;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::Keys;
use crate::config::{Config, Limits};
use crate::consumer::{self, EventHandlers, Inbox};
use crate::http::{self, server};
use crate::internal::{self, Internal};
use crate::record::Topic;
use crate::sql;
use crate::trace::{self, TraceContext};
use crate::{Database, db, failpoints, kafka, relay, telemetry};

/// The retention of receipts of requests in days. Receipts of events are kept this much longer than a topic's 30 days.
const KEY_DAYS: i32 = 7;
const EVENT_DAYS: i32 = 30 + KEY_DAYS;
const PURGE_INTERVAL: Duration = Duration::from_mins(10);

/// A service with its adapters, as its wiring creates it.
#[derive(Debug)]
pub struct Service {
    /// The routes of its operations.
    pub routes: Router,
    /// Its event handlers.
    pub handlers: EventHandlers,
    /// Its database.
    pub database: Database,
    /// The trusted keys of tokens.
    pub keys: Arc<Keys>,
    /// Its background jobs.
    pub jobs: Vec<BackgroundJob>,
}

/// Work that becomes due by time. Every replica runs the job; each item is processed once, by a commit of its own.
#[derive(Clone)]
pub struct BackgroundJob {
    name: &'static str,
    interval: Duration,
    run: Arc<dyn Fn() -> BoxFuture<'static, Result<usize, StoreError>> + Send + Sync>,
}

impl BackgroundJob {
    /// Creates a job that calls `run` with these use cases: again at once after a run that processed items, and after `interval`
    /// otherwise.
    pub fn new<U, F>(
        name: &'static str,
        interval: Duration,
        use_cases: U,
        run: impl Fn(U) -> F + Send + Sync + 'static,
    ) -> Self
    where
        U: Clone + Send + Sync + 'static,
        F: Future<Output = Result<usize, StoreError>> + Send + 'static,
    {
        Self { name, interval, run: Arc::new(move || Box::pin(run(use_cases.clone()))) }
    }

    /// Returns the job's name, which is the label of its metric.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs the job once. Returns the number of items that it processed.
    pub async fn run_once(&self) -> Result<usize, StoreError> {
        (self.run)().await
    }

    async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let (job, context) = (self.clone(), TraceContext::root());
            // In a separate task, so that a panic is only one failed run.
            let ran =
                tokio::spawn(trace::within(context, async move { failpoints::during(job.name, job.run_once()).await }))
                    .await;
            metrics::counter!("background_job_runs_total", "job" => self.name).increment(1);
            match ran {
                Ok(Ok(count)) if count > 0 => {
                    tracing::debug!(job = self.name, count, "background job processed items");
                    continue;
                }
                // The adapter has logged the error.
                Ok(_) => {}
                Err(error) => tracing::error!(job = self.name, %error, "a background job panicked and is retried"),
            }
            tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(self.interval) => {} }
        }
    }
}

impl std::fmt::Debug for BackgroundJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BackgroundJob")
            .field("name", &self.name)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

/// The errors of `migrate`.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database could not be migrated.
    #[error("the database could not be migrated: {0}")]
    Database(#[from] db::MigrationFailed),
    /// The topics could not be created.
    #[error("the topics could not be created: {0}")]
    Kafka(#[from] rdkafka::error::KafkaError),
}

/// Runs `service migrate`: migrates the database, as its owner, to this version's schema and creates the missing topics.
pub async fn migrate(config: &Config, migrations: &'static Dir<'static>, topics: &[Topic]) -> Result<(), MigrateError> {
    db::migrate(config, migrations).await?;
    kafka::create_topics(config, topics).await?;
    tracing::info!("the database is migrated and the topics exist");
    Ok(())
}

/// Serves until SIGTERM or SIGINT, then shuts down gracefully: readiness fails, requests and the current chunk of events are
/// finished, the outbox is published. Work that is not finished within the grace period is done after the next start.
pub async fn serve(config: Config, service: Service) -> io::Result<()> {
    #[cfg(debug_assertions)]
    failpoints::set_up();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let public = server::listen(config.http_addr).await?;
    let inner = server::listen(config.internal_addr).await?;
    tracing::info!(http = %public.local_addr()?, internal = %inner.local_addr()?, "serving");

    let draining = Arc::new(AtomicBool::new(false));
    let (stop, stop_relay, stop_internal) =
        (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());
    let inbox = Inbox::new(service.database.clone(), config.retries);
    let internal = Internal { database: service.database.clone(), inbox: inbox.clone(), draining: draining.clone() };
    let grace = config.shutdown_grace_period / 2;

    let work = TaskTracker::new();
    let (routes, limits) = (http::with_middleware(service.routes, &config.limits), config.limits.clone());
    work.spawn({
        let stop = stop.clone();
        async move { server::serve(public, routes, &limits, stop, grace).await }
    });
    if !service.handlers.subscriptions.is_empty() {
        work.spawn(consumer::run(config.clone(), inbox.clone(), service.handlers.clone(), stop.clone()));
        let prefix = config.topic_prefix.clone();
        work.spawn(consumer::retry(inbox, service.handlers, prefix, stop.clone()));
    }
    for job in service.jobs {
        work.spawn(job.run(stop.clone()));
    }
    work.close();
    let last = TaskTracker::new();
    last.spawn(relay::run(
        config.clone(),
        service.database.clone(),
        stop_relay.clone(),
        config.shutdown_grace_period / 8,
    ));
    last.spawn({
        let (stop, limits) = (stop_internal.clone(), Limits::default());
        let routes = http::with_middleware(internal::router(internal), &limits);
        async move { server::serve(inner, routes, &limits, stop, Duration::ZERO).await }
    });
    last.close();
    let background = [
        tokio::spawn(purge_receipts(service.database.clone())),
        tokio::spawn(service.keys.follow()),
        tokio::spawn(telemetry::upkeep()),
    ];

    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    tracing::info!("shutting down");
    draining.store(true, Ordering::Relaxed);
    let drain = drain((stop, work), (stop_relay, stop_internal, last), &service.database);
    if tokio::time::timeout(config.shutdown_grace_period, drain).await.is_err() {
        tracing::warn!("the grace period ended before the shutdown was complete");
    }
    background.iter().for_each(tokio::task::JoinHandle::abort);
    tracing::info!("stopped");
    Ok(())
}

/// Ends requests, events and jobs, then the relay and the internal server, then the connections to the database.
async fn drain(
    work: (CancellationToken, TaskTracker),
    last: (CancellationToken, CancellationToken, TaskTracker),
    database: &Database,
) {
    let (stop, work) = work;
    stop.cancel();
    work.wait().await;
    // After the requests, because the last one may have written an event to the outbox.
    let (stop_relay, stop_internal, last) = last;
    stop_relay.cancel();
    stop_internal.cancel();
    last.wait().await;
    database.close().await;
}

/// Deletes expired receipts.
async fn purge_receipts(database: Database) {
    // A receipt of a request has a fingerprint; that of an event is all zeros.
    // In batches, so that a backlog does not exceed the statement timeout.
    const PURGE: &str = "delete from receipt where ctid = any(array(select ctid from receipt \
        where at < now() - make_interval(days => $key_days) and (at < now() - make_interval(days => $event_days) \
        or fingerprint <> decode(repeat('00', 32), 'hex')) limit 10000))";
    let mut more = false;
    loop {
        if !more {
            tokio::time::sleep(PURGE_INTERVAL).await;
        }
        let purge = sql!(PURGE, key_days = KEY_DAYS, event_days = EVENT_DAYS);
        more = match purge.execute(database.pool()).await {
            Ok(done) => done.rows_affected() == 10_000,
            Err(error) => {
                tracing::warn!(%error, "expired receipts could not be deleted");
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
    async fn a_job_that_panics_or_fails_runs_again() {
        let (runs, stop) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
        let use_cases = (runs.clone(), stop.clone());
        let job = BackgroundJob::new("test", Duration::from_millis(1), use_cases, |(runs, stop)| async move {
            match runs.fetch_add(1, Ordering::Relaxed) {
                0 => panic!("an unexpected row"),
                1 => Err(StoreError::Internal),
                2 => Ok(1),
                _ => {
                    stop.cancel();
                    Ok(0)
                }
            }
        });
        tokio::time::timeout(Duration::from_secs(20), job.run(stop)).await.expect("it ran four times");
        assert_eq!(runs.load(Ordering::Relaxed), 4);
    }
}
