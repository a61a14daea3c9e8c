//! The outbox relay: publishes every committed event to Kafka at least once, in order per key.
//!
//! One replica is the leader for a database: it holds an advisory lock in a session of its own. The other replicas only wake it.
//! In one pass the leader reads rows from the head, publishes them while it reads on, awaits the acknowledgements and deletes the
//! acknowledged rows. Each pass starts at the head again, so that it does not skip the rows of a late commit. A leader that lost
//! its lock unnoticed can only publish an event twice, and the consumers' receipts make the second time harmless.

use std::collections::VecDeque;
use std::pin::pin;
use std::time::Duration;

use mart_kernel::{Timestamp, Version};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::future_producer::DeliveryFuture;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer, PurgeConfig};
use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{Connection, PgConnection, Row};
use tokio_util::sync::CancellationToken;

use crate::{Config, Database, Record, kafka, sql};

/// The key of the advisory lock, within one database.
const LOCK: i64 = 0x6f75_7462_6f78;
const CHANNEL: &str = "outbox";
/// Rows in one read. Rows in flight are most of a busy service's memory, and for more than a thousand PostgreSQL scans the whole
/// table.
const BATCH: usize = 500;
/// Batches in flight.
const IN_FLIGHT: usize = 4;
/// Batches in one pass.
const PASS: usize = 50;
/// The pause between two passes, in which commits accumulate.
const PAUSE: Duration = Duration::from_millis(10);
/// The time between two passes without a notification.
const POLL: Duration = Duration::from_secs(1);
/// The time between two heartbeats of a session that waits for Kafka. Well below [`IDLE_TIMEOUT`].
const HEARTBEAT: Duration = Duration::from_secs(3);
/// The time without a statement after which PostgreSQL ends the leader's session and so releases the lock.
const IDLE_TIMEOUT: &str = "10s";

/// The first pause after an error.
const BACKOFF: Duration = Duration::from_millis(100);
/// The longest that a statement may take. Without it, a vanished database would be noticed only by the TCP timeout.
const STATEMENT: Duration = Duration::from_secs(20);

/// The reason for the end of a leader's session.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
}

/// Relays until `stop`, then publishes the remaining rows for at most `grace`.
pub(crate) async fn run(config: Config, database: Database, stop: CancellationToken, grace: Duration) {
    let mut backoff = BACKOFF;
    while !stop.is_cancelled() {
        let lead = lead(&config, &database, &stop, grace, &mut backoff);
        match lead.await {
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(%error, "the outbox relay failed and starts again");
                metrics::counter!("outbox_relay_errors_total").increment(1);
                metrics::gauge!("outbox_relay_leader").set(0.0);
                tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(backoff) => {} }
                backoff = (backoff * 2).min(Duration::from_secs(5));
            }
        }
    }
}

/// Waits for the lock in a new session, then leads until an error or the service's stop.
async fn lead(
    config: &Config,
    database: &Database,
    stop: &CancellationToken,
    grace: Duration,
    backoff: &mut Duration,
) -> Result<(), RelayError> {
    // A lost delete only publishes an event twice, so this session does not wait for the disk. Writers always do.
    let settings = [("synchronous_commit", "off"), ("idle_session_timeout", IDLE_TIMEOUT)];
    let mut session = within(database.connect(&settings)).await?;
    let mut wake = false;
    loop {
        let lock = within(sql!("select pg_try_advisory_lock($lock)", lock = LOCK).fetch_one(&mut session)).await?;
        if lock.try_get(0)? {
            break;
        }
        if wake {
            within(sql!("select pg_notify($channel, '')", channel = CHANNEL).execute(&mut session)).await?;
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(session.close().await?),
            () = database.outbox_notify().notified() => { wake = true; tokio::time::sleep(PAUSE).await; }
            () = tokio::time::sleep(POLL) => wake = false,
        }
    }
    tracing::info!("this process is the outbox relay's leader");
    *backoff = BACKOFF;
    metrics::gauge!("outbox_relay_leader").set(1.0);

    let pool = PgPoolOptions::new().max_connections(1).connect_with(database.options().clone()).await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    let producer: FutureProducer = kafka::producer(config).create()?;
    let mut leader =
        Leader { session, producer, source: format!("/{}", config.service), prefix: config.topic_prefix.clone() };
    let ended = leader.run(database, &mut listener, stop, grace).await;
    // Queued records would reach Kafka later, out of order.
    leader.producer.purge(PurgeConfig::default().queue().inflight());
    metrics::gauge!("outbox_relay_leader").set(0.0);
    ended
}

struct Leader {
    session: PgConnection,
    producer: FutureProducer,
    source: String,
    prefix: String,
}

/// A batch in flight.
struct InFlight {
    positions: Vec<i64>,
    deliveries: Vec<DeliveryFuture>,
}

impl Leader {
    async fn run(
        &mut self,
        database: &Database,
        listener: &mut PgListener,
        stop: &CancellationToken,
        grace: Duration,
    ) -> Result<(), RelayError> {
        loop {
            let running = {
                let mut pass = pin!(self.publish_all());
                tokio::select! {
                    () = stop.cancelled() => Err(tokio::time::timeout(grace, pass).await),
                    published = &mut pass => Ok(published?),
                }
            };
            let published = match running {
                Ok(published) => published,
                Err(finished) => {
                    // The current pass is finished first, so that a graceful stop publishes nothing twice.
                    let last = match finished {
                        Ok(published) => published.map(|_| tokio::time::timeout(grace, self.publish_all()))?.await,
                        late => late,
                    };
                    return last
                        .unwrap_or_else(|_| {
                            tracing::warn!("the outbox is not empty; the next start publishes the remaining rows");
                            Ok(0)
                        })
                        .map(|_| ());
                }
            };
            if published == 0 {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = database.outbox_notify().notified() => {}
                    notified = listener.recv() => { notified?; }
                    () = tokio::time::sleep(POLL) => {}
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Runs one pass from the head to the end of the outbox. Returns the number of rows that were published and deleted.
    async fn publish_all(&mut self) -> Result<usize, RelayError> {
        // Rows that appear during this pass are left to the next one. Otherwise a row with a lower position that is committed late
        // could be overtaken by the next row with its key.
        let last: i64 =
            within(sqlx::query_scalar("select coalesce(max(position), 0) from outbox").fetch_one(&mut self.session))
                .await?;
        let mut in_flight: VecDeque<InFlight> = VecDeque::new();
        let mut after = 0;
        let mut published = 0;
        for _ in 0..PASS {
            let (positions, records) = self.read(after, last).await?;
            let short = positions.len() < BATCH;
            if let Some(last) = positions.last() {
                after = *last;
                let deliveries = self.produce(records).await?;
                in_flight.push_back(InFlight { positions, deliveries });
            }
            while in_flight.len() >= IN_FLIGHT || (short && !in_flight.is_empty()) {
                if let Some(batch) = in_flight.pop_front() {
                    published += self.await_acks(batch).await?;
                }
            }
            if short {
                break;
            }
        }
        while let Some(batch) = in_flight.pop_front() {
            published += self.await_acks(batch).await?;
        }
        Ok(published)
    }

    async fn read(&mut self, after: i64, last: i64) -> Result<(Vec<i64>, Vec<Record>), RelayError> {
        let query = sql!(
            "select position, id, at, topic, key, event_type, version, traceparent, payload \
             from outbox where position > $after and position <= $last order by position limit $limit",
            after = after,
            last = last,
            limit = i64::try_from(BATCH).unwrap_or(i64::MAX),
        );
        let rows = within(query.fetch_all(&mut self.session)).await?;
        let mut positions = Vec::with_capacity(rows.len());
        let mut records = Vec::with_capacity(rows.len());
        for row in rows {
            positions.push(row.try_get("position")?);
            records.push(Record {
                id: row.try_get("id")?,
                at: Timestamp::new(row.try_get("at")?),
                topic: row.try_get("topic")?,
                key: row.try_get("key")?,
                event_type: row.try_get("event_type")?,
                version: Version::from_stored(row.try_get("version")?).unwrap_or(Version::NONE),
                traceparent: row.try_get("traceparent")?,
                payload: row.try_get("payload")?,
            });
        }
        Ok((positions, records))
    }

    async fn produce(&mut self, records: Vec<Record>) -> Result<Vec<DeliveryFuture>, RelayError> {
        let mut deliveries = Vec::with_capacity(records.len());
        for record in records {
            let topic = format!("{}{}", self.prefix, record.topic);
            let mut message = FutureRecord::to(&topic)
                .key(&record.key)
                .payload(&record.payload)
                .headers(record.headers(&self.source));
            let delivery = loop {
                match self.producer.send_result(message) {
                    Ok(delivery) => break delivery,
                    Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                        message = back;
                        self.wait(Duration::from_millis(5)).await?;
                    }
                    Err((error, _)) => return Err(error.into()),
                }
            };
            deliveries.push(delivery);
        }
        Ok(deliveries)
    }

    /// Awaits the acknowledgements of a batch and deletes its rows.
    async fn await_acks(&mut self, batch: InFlight) -> Result<usize, RelayError> {
        let mut all = Box::pin(acknowledged(batch));
        let (positions, rejected) = loop {
            tokio::select! {
                all = &mut all => break all,
                () = tokio::time::sleep(HEARTBEAT) => self.heartbeat().await?,
            }
        };
        #[cfg(debug_assertions)]
        self.produced(&positions).await?;
        let count = positions.len();
        let delete = sql!("delete from outbox where position = any($positions)", positions = positions);
        within(delete.execute(&mut self.session)).await?;
        metrics::counter!("outbox_published_total").increment(count as u64);
        rejected.map_or(Ok(count), |error| Err(error.into()))
    }

    /// Reaches the failpoint at which Kafka has acknowledged these rows and the outbox still has them.
    #[cfg(debug_assertions)]
    async fn produced(&mut self, positions: &[i64]) -> Result<(), RelayError> {
        let query = sql!(
            "select distinct event_type from outbox where position = any($positions) order by event_type",
            positions = positions,
        );
        for row in query.fetch_all(&mut self.session).await? {
            let event_type: String = row.try_get("event_type")?;
            crate::failpoints::failpoint!("relay.produced", event_type);
        }
        Ok(())
    }

    async fn wait(&mut self, pause: Duration) -> Result<(), RelayError> {
        tokio::time::sleep(pause).await;
        self.heartbeat().await
    }

    async fn heartbeat(&mut self) -> Result<(), RelayError> {
        within(sqlx::query("select 1").execute(&mut self.session)).await?;
        Ok(())
    }
}

/// Awaits the deliveries of a batch one after the other. Returns the positions that Kafka acknowledged, and the last error.
async fn acknowledged(batch: InFlight) -> (Vec<i64>, Option<KafkaError>) {
    let (mut taken, mut rejected) = (Vec::with_capacity(batch.positions.len()), None);
    for (position, delivery) in batch.positions.into_iter().zip(batch.deliveries) {
        match delivery.await {
            Ok(Ok(_)) => taken.push(position),
            Ok(Err((error, _))) => rejected = Some(error),
            Err(_) => rejected = Some(KafkaError::Canceled),
        }
    }
    (taken, rejected)
}

/// Limits a statement's time to [`STATEMENT`].
async fn within<T>(statement: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::time::timeout(STATEMENT, statement).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}
