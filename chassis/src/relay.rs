//! The outbox relay: every committed event reaches Kafka at least once, in order per key.
//!
//! One replica owns the outbox of a database, by an advisory lock of a session of its own; the others only wake it. The
//! owner sweeps: it reads from the head, produces while it reads on, awaits the acknowledgements and deletes what was
//! acknowledged. A sweep starts at the head again, so no row of a late commit is skipped. An owner that lost its lock
//! without noticing can only send twice, which the consumers' receipts absorb.

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

use crate::{Config, Database, Record, kafka};

/// The key of the advisory lock, within one database.
const LOCK: i64 = 0x6f75_7462_6f78;
const CHANNEL: &str = "outbox";
/// Rows in one read. Those on their way are the largest part of what a busy service has in memory, and more than a thousand make
/// PostgreSQL scan the whole table.
const BATCH: usize = 500;
/// Batches on their way at once.
const IN_FLIGHT: usize = 4;
/// Batches in one sweep; then it starts at the head again.
const SWEEP: usize = 50;
/// Between sweeps, so that commits gather.
const PAUSE: Duration = Duration::from_millis(10);
/// How often the outbox is looked at when nothing rings.
const POLL: Duration = Duration::from_secs(1);
/// How often a session that waits for Kafka shows that it is alive. Well below [`IDLE_TIMEOUT`].
const HEARTBEAT: Duration = Duration::from_secs(3);
/// After how long without a sign PostgreSQL ends the owner's session and with it the lock.
const IDLE_TIMEOUT: &str = "10s";

/// The first pause after an interruption.
const BACKOFF: Duration = Duration::from_millis(100);
/// How long a statement may take. A database that vanished without a word would otherwise be waited for until TCP gives up.
const STATEMENT: Duration = Duration::from_secs(20);

/// What can end a term of ownership.
#[derive(Debug, thiserror::Error)]
enum Interrupted {
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
}

/// Relays until `stop`; then sends what is left, as far as `grace` allows.
pub(crate) async fn run(config: Config, database: Database, stop: CancellationToken, grace: Duration) {
    let mut backoff = BACKOFF;
    while !stop.is_cancelled() {
        let term = term(&config, &database, &stop, grace, &mut backoff);
        match term.await {
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(%error, "the relay was interrupted and starts again");
                metrics::counter!("relay_interruptions_total").increment(1);
                metrics::gauge!("relay_owner").set(0.0);
                tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(backoff) => {} }
                backoff = (backoff * 2).min(Duration::from_secs(5));
            }
        }
    }
}

/// One session: waits for the lock, then owns the outbox until something breaks or the service stops.
async fn term(
    config: &Config,
    database: &Database,
    stop: &CancellationToken,
    grace: Duration,
    backoff: &mut Duration,
) -> Result<(), Interrupted> {
    // A lost delete only sends twice, so this session need not wait for the disk; writers always do.
    let settings = [("synchronous_commit", "off"), ("idle_session_timeout", IDLE_TIMEOUT)];
    let mut session = within(database.connect(&settings)).await?;
    let mut ring = false;
    let lock = "select pg_try_advisory_lock($1)";
    while !within(sqlx::query_scalar::<_, bool>(lock).bind(LOCK).fetch_one(&mut session)).await? {
        if ring {
            within(sqlx::query("select pg_notify($1, '')").bind(CHANNEL).execute(&mut session)).await?;
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(session.close().await?),
            () = database.committed().notified() => { ring = true; tokio::time::sleep(PAUSE).await; }
            () = tokio::time::sleep(POLL) => ring = false,
        }
    }
    tracing::info!("this process relays the outbox");
    *backoff = BACKOFF;
    metrics::gauge!("relay_owner").set(1.0);

    let pool = PgPoolOptions::new().max_connections(1).connect_with(database.options().clone()).await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    let producer: FutureProducer = kafka::producer(config).create()?;
    let mut owner =
        Owner { session, producer, source: format!("/{}", config.service), prefix: config.topic_prefix.clone() };
    let ended = owner.own(database, &mut listener, stop, grace).await;
    // What is still queued would reach Kafka later, out of turn.
    owner.producer.purge(PurgeConfig::default().queue().inflight());
    metrics::gauge!("relay_owner").set(0.0);
    ended
}

struct Owner {
    session: PgConnection,
    producer: FutureProducer,
    source: String,
    prefix: String,
}

/// A batch whose acknowledgements are awaited.
struct Flight {
    positions: Vec<i64>,
    deliveries: Vec<DeliveryFuture>,
}

impl Owner {
    async fn own(
        &mut self,
        database: &Database,
        listener: &mut PgListener,
        stop: &CancellationToken,
        grace: Duration,
    ) -> Result<(), Interrupted> {
        loop {
            let running = {
                let mut sweep = pin!(self.sweep());
                tokio::select! {
                    () = stop.cancelled() => Err(tokio::time::timeout(grace, sweep).await),
                    swept = &mut sweep => Ok(swept?),
                }
            };
            let swept = match running {
                Ok(swept) => swept,
                Err(finished) => {
                    // The sweep that ran is finished first, so that a polite end sends nothing twice; then what is left.
                    let last = match finished {
                        Ok(swept) => swept.map(|_| tokio::time::timeout(grace, self.sweep()))?.await,
                        late => late,
                    };
                    return last
                        .unwrap_or_else(|_| {
                            tracing::warn!("the outbox could not be emptied before the end; the next start does it");
                            Ok(0)
                        })
                        .map(|_| ());
                }
            };
            if swept == 0 {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = database.committed().notified() => {}
                    told = listener.recv() => { told?; }
                    () = tokio::time::sleep(POLL) => {}
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// From the head to the end of the outbox; returns how many rows were published and deleted.
    async fn sweep(&mut self) -> Result<usize, Interrupted> {
        // Rows that come while this sweep runs are the next one's. One that took its place before and is committed late might
        // otherwise be overtaken by the next of its key, which takes its place only after that commit.
        let last: i64 =
            within(sqlx::query_scalar("select coalesce(max(position), 0) from outbox").fetch_one(&mut self.session))
                .await?;
        let mut flying: VecDeque<Flight> = VecDeque::new();
        let mut after = 0;
        let mut swept = 0;
        for _ in 0..SWEEP {
            let (positions, records) = self.read(after, last).await?;
            let short = positions.len() < BATCH;
            if let Some(last) = positions.last() {
                after = *last;
                let deliveries = self.produce(records).await?;
                flying.push_back(Flight { positions, deliveries });
            }
            while flying.len() >= IN_FLIGHT || (short && !flying.is_empty()) {
                if let Some(flight) = flying.pop_front() {
                    swept += self.land(flight).await?;
                }
            }
            if short {
                break;
            }
        }
        while let Some(flight) = flying.pop_front() {
            swept += self.land(flight).await?;
        }
        Ok(swept)
    }

    async fn read(&mut self, after: i64, last: i64) -> Result<(Vec<i64>, Vec<Record>), Interrupted> {
        let sql = "select position, id, at, topic, key, kind, version, traceparent, payload \
                   from outbox where position > $1 and position <= $2 order by position limit $3";
        let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
        let rows = within(sqlx::query(sql).bind(after).bind(last).bind(limit).fetch_all(&mut self.session)).await?;
        let mut positions = Vec::with_capacity(rows.len());
        let mut records = Vec::with_capacity(rows.len());
        for row in rows {
            positions.push(row.try_get("position")?);
            records.push(Record {
                id: row.try_get("id")?,
                at: Timestamp::new(row.try_get("at")?),
                topic: row.try_get("topic")?,
                key: row.try_get("key")?,
                kind: row.try_get("kind")?,
                version: Version::from_stored(row.try_get("version")?).unwrap_or(Version::NONE),
                traceparent: row.try_get("traceparent")?,
                payload: row.try_get("payload")?,
            });
        }
        Ok((positions, records))
    }

    async fn produce(&mut self, records: Vec<Record>) -> Result<Vec<DeliveryFuture>, Interrupted> {
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
    async fn land(&mut self, flight: Flight) -> Result<usize, Interrupted> {
        let mut all = Box::pin(acknowledged(flight));
        let (positions, refused) = loop {
            tokio::select! {
                all = &mut all => break all,
                () = tokio::time::sleep(HEARTBEAT) => self.beat().await?,
            }
        };
        #[cfg(debug_assertions)]
        self.produced(&positions).await?;
        let sql = "delete from outbox where position = any($1)";
        let count = positions.len();
        within(sqlx::query(sql).bind(positions).execute(&mut self.session)).await?;
        metrics::counter!("relay_published_total").increment(count as u64);
        refused.map_or(Ok(count), |error| Err(error.into()))
    }

    /// Kafka has taken these rows, and the outbox still has them.
    #[cfg(debug_assertions)]
    async fn produced(&mut self, positions: &[i64]) -> Result<(), Interrupted> {
        let sql = "select distinct kind from outbox where position = any($1) order by kind";
        let kinds: Vec<String> = sqlx::query_scalar(sql).bind(positions).fetch_all(&mut self.session).await?;
        for kind in kinds {
            crate::points::pass!("relay.produced", kind);
        }
        Ok(())
    }

    async fn wait(&mut self, pause: Duration) -> Result<(), Interrupted> {
        tokio::time::sleep(pause).await;
        self.beat().await
    }

    async fn beat(&mut self) -> Result<(), Interrupted> {
        within(sqlx::query("select 1").execute(&mut self.session)).await?;
        Ok(())
    }
}

/// Awaits one after the other: all are on their way at once, and one waker is enough to notice the last. Gives the rows that
/// Kafka has taken, and why it refused others.
async fn acknowledged(flight: Flight) -> (Vec<i64>, Option<KafkaError>) {
    let (mut taken, mut refused) = (Vec::with_capacity(flight.positions.len()), None);
    for (position, delivery) in flight.positions.into_iter().zip(flight.deliveries) {
        match delivery.await {
            Ok(Ok(_)) => taken.push(position),
            Ok(Err((error, _))) => refused = Some(error),
            Err(_) => refused = Some(KafkaError::Canceled),
        }
    }
    (taken, refused)
}

/// Holds a statement to its time.
async fn within<T>(statement: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::time::timeout(STATEMENT, statement).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}
