//! The consumer group member: processes chunks of records in lanes by key, then commits the offsets.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use mart_kernel::StoreError;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use tokio_util::sync::CancellationToken;

use super::inbox::Inbox;
use super::{Delivery, EventHandlers, backoff, deliver};
use crate::record::RawRecord;
use crate::{Config, kafka};

/// Records in one chunk.
const CHUNK: usize = 500;
/// Lanes that run concurrently.
const LANES: usize = 32;

/// Consumes until `stop`. The current chunk is finished and its offsets are committed.
pub(crate) async fn run(config: Config, inbox: Inbox, handlers: EventHandlers, stop: CancellationToken) {
    let mut pause = Duration::from_millis(250);
    while !stop.is_cancelled() {
        let member = match GroupMember::join(&config, &inbox, &handlers) {
            Ok(member) => member,
            Err(error) => {
                tracing::error!(%error, "the consumer could not be created");
                tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(pause) => {} }
                pause = (pause * 2).min(Duration::from_secs(10));
                continue;
            }
        };
        if let Err(error) = member.consume(&stop).await {
            tracing::warn!(%error, "the consumer failed and rejoins the group");
        }
        // Leaving the group waits for Kafka, so it must not block a thread of the runtime.
        if tokio::task::spawn_blocking(move || drop(member)).await.is_err() {
            tracing::warn!("leaving the consumer group failed");
        }
    }
}

struct GroupMember {
    consumer: StreamConsumer,
    inbox: Inbox,
    handlers: EventHandlers,
    /// The handlers' names by event type.
    by_type: HashMap<&'static str, Vec<&'static str>>,
    /// The first handler of each topic. A record without an event type becomes its dead letter.
    by_topic: HashMap<String, &'static str>,
    prefix: String,
}

impl GroupMember {
    fn join(config: &Config, inbox: &Inbox, handlers: &EventHandlers) -> Result<Self, KafkaError> {
        let consumer: StreamConsumer = kafka::consumer(config).create()?;
        let mut by_type: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut by_topic = HashMap::new();
        for subscription in handlers.subscriptions {
            by_type.entry(subscription.event_type).or_default().push(subscription.handler);
            let topic = format!("{}{}", config.topic_prefix, subscription.topic);
            by_topic.entry(topic).or_insert(subscription.handler);
        }
        let topics: Vec<&str> = by_topic.keys().map(String::as_str).collect();
        consumer.subscribe(&topics)?;
        Ok(Self {
            consumer,
            inbox: inbox.clone(),
            handlers: handlers.clone(),
            by_type,
            by_topic,
            prefix: config.topic_prefix.clone(),
        })
    }

    async fn consume(&self, stop: &CancellationToken) -> Result<(), KafkaError> {
        loop {
            let first = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                first = self.consumer.recv() => first,
            };
            let mut chunk = vec![match first {
                Ok(message) => Arc::new(RawRecord::of(&message)),
                Err(error) if is_transient(&error) => {
                    tracing::debug!(%error, "Kafka is unavailable");
                    continue;
                }
                Err(error) => return Err(error),
            }];
            // Records that are already fetched, without waiting for more.
            while chunk.len() < CHUNK {
                match futures::FutureExt::now_or_never(self.consumer.recv()) {
                    Some(Ok(message)) => chunk.push(Arc::new(RawRecord::of(&message))),
                    Some(Err(_)) | None => break,
                }
            }
            if !self.process_until_stored(&chunk, stop).await? {
                return Ok(());
            }
            self.commit(&chunk);
        }
    }

    /// Processes a chunk until all of its effects or retries are stored. Returns `false` if the service stops first.
    ///
    /// While the database is unavailable, the partitions are paused: the member stays in the group, nothing is fetched and no
    /// attempt is counted.
    async fn process_until_stored(
        &self,
        chunk: &[Arc<RawRecord>],
        stop: &CancellationToken,
    ) -> Result<bool, KafkaError> {
        let mut attempts = 0;
        let mut paused = None;
        while self.handle(chunk).await.is_err() {
            if stop.is_cancelled() {
                return Ok(false);
            }
            metrics::counter!("consumer_pauses_total").increment(1);
            let assigned = self.consumer.assignment()?;
            self.consumer.pause(&assigned)?;
            paused = Some(assigned);
            let pause = tokio::time::sleep(backoff(attempts, Duration::from_secs(5)));
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    () = &mut pause => break,
                    () = stop.cancelled() => return Ok(false),
                    // Polling keeps the membership alive. A record of a newly assigned partition is left for later: its
                    // partition is paused and the position goes back to it.
                    Ok(message) = self.consumer.recv() => {
                        let raw = RawRecord::of(&message);
                        let mut back = TopicPartitionList::new();
                        back.add_partition_offset(&raw.topic, raw.partition, Offset::Offset(raw.offset))?;
                        self.consumer.pause(&back)?;
                        let back = self.consumer.seek_partitions(back, Duration::from_secs(5))?;
                        // Without the seek the record would be skipped, so an error makes the member rejoin from the committed
                        // offset.
                        back.elements().iter().try_for_each(rdkafka::topic_partition_list::TopicPartitionListElem::error)?;
                    }
                }
            }
            attempts += 1;
        }
        if paused.is_some() {
            self.consumer.resume(&self.consumer.assignment()?)?;
        }
        Ok(true)
    }

    /// Delivers each record of the chunk to its handlers; records with one key in their order.
    async fn handle(&self, chunk: &[Arc<RawRecord>]) -> Result<(), StoreError> {
        let mut lanes: HashMap<(String, String), Vec<Arc<RawRecord>>> = HashMap::new();
        for raw in chunk {
            let (_, key) = super::name_and_key(raw);
            for handler in self.handlers_for(raw) {
                lanes.entry(((*handler).to_owned(), key.clone())).or_default().push(raw.clone());
            }
        }
        let names: Vec<(String, String)> = lanes.keys().cloned().collect();
        let blocked_keys = self.inbox.blocked_keys(&names).await?;
        let work = lanes.into_iter().map(|((handler, key), records)| {
            let blocked = blocked_keys.contains(&(handler.clone(), key));
            async move { self.lane(&handler, records, blocked).await }
        });
        let mut ends = futures::stream::iter(work).buffer_unordered(LANES);
        let mut all = Ok(());
        while let Some(end) = ends.next().await {
            all = all.and(end);
        }
        all
    }

    async fn lane(&self, handler: &str, records: Vec<Arc<RawRecord>>, mut blocked: bool) -> Result<(), StoreError> {
        for raw in records {
            if blocked {
                self.inbox
                    .enqueue(handler, &raw, "an earlier event of this key is pending", false, Duration::ZERO)
                    .await?;
                continue;
            }
            match deliver(&self.handlers.dispatch, handler, raw.record(&self.prefix)).await? {
                Delivery::Done => {}
                Delivery::Retry(reason) => {
                    let pause = backoff(0, self.inbox.retries.max_backoff);
                    self.inbox.enqueue(handler, &raw, &reason, false, pause).await?;
                    blocked = true;
                }
                Delivery::Reject(reason) => {
                    tracing::warn!(handler, reason, offset = raw.offset, partition = raw.partition, "dead letter");
                    metrics::counter!("dead_letters_total").increment(1);
                    self.inbox.enqueue(handler, &raw, &reason, true, Duration::ZERO).await?;
                }
            }
        }
        Ok(())
    }

    /// Returns the handlers of a record's event type. A record without a type gets its topic's first handler, which makes it a
    /// dead letter. A record of a type without a subscription is skipped.
    fn handlers_for(&self, raw: &RawRecord) -> &[&'static str] {
        let known = match raw.header("ce_type") {
            Some(event_type) => self.by_type.get(event_type).map(Vec::as_slice),
            None => self.by_topic.get(&raw.topic).map(std::slice::from_ref),
        };
        known.unwrap_or_else(|| {
            metrics::counter!("events_skipped_total").increment(1);
            &[]
        })
    }

    /// Commits the offsets of a chunk. If that fails, the chunk is consumed again and its receipts prevent a second effect.
    fn commit(&self, chunk: &[Arc<RawRecord>]) {
        let mut next: HashMap<(String, i32), Offset> = HashMap::new();
        for raw in chunk {
            next.insert((raw.topic.clone(), raw.partition), Offset::Offset(raw.offset + 1));
        }
        let committed = TopicPartitionList::from_topic_map(&next)
            .and_then(|offsets| self.consumer.commit(&offsets, CommitMode::Async));
        if let Err(error) = committed {
            tracing::debug!(%error, "offsets were not committed");
        }
    }
}

/// Returns whether librdkafka recovers from this error by itself. It does not if the broker rejects the session timeout.
fn is_transient(error: &KafkaError) -> bool {
    !matches!(
        error,
        KafkaError::MessageConsumptionFatal(_)
            | KafkaError::MessageConsumption(RDKafkaErrorCode::InvalidSessionTimeout)
    )
}
