//! The member of the consumer group: chunks of records, lanes by key, then the offsets.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use mart_kernel::Unavailable;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use tokio_util::sync::CancellationToken;

use super::inbox::Inbox;
use super::{Outcome, Reactions, backoff, deliver};
use crate::record::Raw;
use crate::{Config, kafka};

/// Records in one chunk.
const CHUNK: usize = 500;
/// Lanes that run side by side.
const LANES: usize = 32;

/// Consumes until `stop`: the chunk at hand is finished and its offsets are committed.
pub(crate) async fn run(config: Config, inbox: Inbox, reactions: Reactions, stop: CancellationToken) {
    let mut pause = Duration::from_millis(250);
    while !stop.is_cancelled() {
        let member = match Member::join(&config, &inbox, &reactions) {
            Ok(member) => member,
            Err(error) => {
                tracing::error!(%error, "the consumer could not be made");
                tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(pause) => {} }
                pause = (pause * 2).min(Duration::from_secs(10));
                continue;
            }
        };
        if let Err(error) = member.work(&stop).await {
            tracing::warn!(%error, "the consumer was interrupted and joins again");
        }
        // Leaving the group waits for Kafka, which must not hold up a thread of the runtime.
        if tokio::task::spawn_blocking(move || drop(member)).await.is_err() {
            tracing::warn!("leaving the consumer group failed");
        }
    }
}

struct Member {
    consumer: StreamConsumer,
    inbox: Inbox,
    reactions: Reactions,
    /// The reactions by the kind of event.
    handlers: HashMap<&'static str, Vec<&'static str>>,
    /// The handlers that a record of unknown kind is dead for: the first of each topic.
    topics: HashMap<String, &'static str>,
    prefix: String,
}

impl Member {
    fn join(config: &Config, inbox: &Inbox, reactions: &Reactions) -> Result<Self, KafkaError> {
        let consumer: StreamConsumer = kafka::consumer(config).create()?;
        let mut handlers: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut topics = HashMap::new();
        for consumed in reactions.consumed {
            handlers.entry(consumed.kind).or_default().push(consumed.handler);
            topics.entry(format!("{}{}", config.topic_prefix, consumed.topic)).or_insert(consumed.handler);
        }
        let names: Vec<&str> = topics.keys().map(String::as_str).collect();
        consumer.subscribe(&names)?;
        Ok(Self {
            consumer,
            inbox: inbox.clone(),
            reactions: reactions.clone(),
            handlers,
            topics,
            prefix: config.topic_prefix.clone(),
        })
    }

    async fn work(&self, stop: &CancellationToken) -> Result<(), KafkaError> {
        loop {
            let first = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                first = self.consumer.recv() => first,
            };
            let mut chunk = vec![match first {
                Ok(message) => Arc::new(Raw::of(&message)),
                Err(error) if passing(&error) => {
                    tracing::debug!(%error, "Kafka is not there now");
                    continue;
                }
                Err(error) => return Err(error),
            }];
            // What has been fetched already, without waiting for more.
            while chunk.len() < CHUNK {
                match futures::FutureExt::now_or_never(self.consumer.recv()) {
                    Some(Ok(message)) => chunk.push(Arc::new(Raw::of(&message))),
                    Some(Err(_)) | None => break,
                }
            }
            if !self.insist(&chunk, stop).await? {
                return Ok(());
            }
            self.commit(&chunk);
        }
    }

    /// Handles a chunk until the database has taken all of it; `false` where the service stops before that.
    ///
    /// While the database is away the partitions pause: the group is kept, nothing is fetched and no attempt is counted.
    async fn insist(&self, chunk: &[Arc<Raw>], stop: &CancellationToken) -> Result<bool, KafkaError> {
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
                    // Asking keeps the membership alive. A record of a partition that was given to us meanwhile is left
                    // for later by going back to it.
                    Ok(message) = self.consumer.recv() => {
                        let raw = Raw::of(&message);
                        let mut back = TopicPartitionList::new();
                        back.add_partition_offset(&raw.topic, raw.partition, Offset::Offset(raw.offset))?;
                        self.consumer.pause(&back)?;
                        let back = self.consumer.seek_partitions(back, Duration::from_secs(5))?;
                        // A record that can't be gone back to would be skipped: better join anew, from the committed offset.
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

    /// Every record of the chunk to each of its handlers, those of one key in their order.
    async fn handle(&self, chunk: &[Arc<Raw>]) -> Result<(), Unavailable> {
        let mut lanes: HashMap<(String, String), Vec<Arc<Raw>>> = HashMap::new();
        for raw in chunk {
            let (_, key) = super::name_and_key(raw);
            for handler in self.handlers_of(raw) {
                lanes.entry(((*handler).to_owned(), key.clone())).or_default().push(raw.clone());
            }
        }
        let names: Vec<(String, String)> = lanes.keys().cloned().collect();
        let held_up = self.inbox.held_up(&names).await?;
        let work = lanes.into_iter().map(|((handler, key), records)| {
            let held_up = held_up.contains(&(handler.clone(), key));
            async move { self.lane(&handler, records, held_up).await }
        });
        let mut ends = futures::stream::iter(work).buffer_unordered(LANES);
        let mut all = Ok(());
        while let Some(end) = ends.next().await {
            all = all.and(end);
        }
        all
    }

    async fn lane(&self, handler: &str, records: Vec<Arc<Raw>>, mut held_up: bool) -> Result<(), Unavailable> {
        for raw in records {
            if held_up {
                self.inbox.keep(handler, &raw, "an earlier event of this key waits", false, Duration::ZERO).await?;
                continue;
            }
            match deliver(&self.reactions.dispatch, handler, raw.record(&self.prefix)).await? {
                Outcome::Done => {}
                Outcome::Wait(why) => {
                    self.inbox.keep(handler, &raw, &why, false, backoff(0, self.inbox.retries.ceiling)).await?;
                    held_up = true;
                }
                Outcome::Dead(why) => {
                    tracing::warn!(handler, why, offset = raw.offset, partition = raw.partition, "a dead letter");
                    metrics::counter!("dead_letters_total").increment(1);
                    self.inbox.keep(handler, &raw, &why, true, Duration::ZERO).await?;
                }
            }
        }
        Ok(())
    }

    /// The handlers of a record's kind; a record without a kind is a dead letter of its topic's first handler, and one of a
    /// kind that the service does not consume is skipped.
    fn handlers_of(&self, raw: &Raw) -> &[&'static str] {
        let known = match raw.header("ce_type") {
            Some(kind) => self.handlers.get(kind).map(Vec::as_slice),
            None => self.topics.get(&raw.topic).map(std::slice::from_ref),
        };
        known.unwrap_or_else(|| {
            metrics::counter!("events_skipped_total").increment(1);
            &[]
        })
    }

    /// Commits the offsets after a chunk. Where that fails the chunk comes again, and its receipts absorb it.
    fn commit(&self, chunk: &[Arc<Raw>]) {
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

/// Whether librdkafka goes on by itself after this error. A session timeout that the broker does not take stays so until somebody
/// mends it.
fn passing(error: &KafkaError) -> bool {
    !matches!(
        error,
        KafkaError::MessageConsumptionFatal(_)
            | KafkaError::MessageConsumption(RDKafkaErrorCode::InvalidSessionTimeout)
    )
}
