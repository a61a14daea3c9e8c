//! Reads events from Kafka.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::message::{Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;
use time::OffsetDateTime;

use crate::{contracts, kafka};

/// An event as it is stored on Kafka.
#[derive(Debug, Clone)]
pub struct KafkaEvent {
    /// The topic, with its prefix.
    pub topic: String,
    /// The record's key.
    pub key: String,
    /// The record's headers.
    pub headers: HashMap<String, String>,
    /// The payload in JSON, or `null` if it can't be decoded.
    pub payload: Value,
    /// When the record was produced.
    pub at: Option<OffsetDateTime>,
    /// The partition of the topic.
    pub partition: i32,
    /// The offset in the partition.
    pub offset: i64,
}

impl KafkaEvent {
    /// Returns the event's name without its package.
    pub fn name(&self) -> &str {
        self.header("ce_type").rsplit('.').next().unwrap_or_default()
    }

    /// Returns a header's value, or an empty text if the header is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Returns the id of the event's trace, or an empty text if it has none.
    pub fn trace_id(&self) -> &str {
        self.header("traceparent").split('-').nth(1).unwrap_or_default()
    }
}

/// Reads topics without a consumer group, so that it leaves no offsets in Kafka.
#[allow(missing_debug_implementations, reason = "the client library's consumer has none")]
pub struct Reader(BaseConsumer);

impl Reader {
    /// Creates a reader of topics from an offset on. `Offset::End` skips the existing events.
    pub fn new(brokers: &str, topics: &[String], from: Offset) -> Result<Self> {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", brokers).set("group.id", "none").set("enable.auto.commit", "false");
        client.set("fetch.wait.max.ms", "20").set("log_level", "0");
        let consumer: BaseConsumer = client.create()?;
        let mut assigned = TopicPartitionList::new();
        for topic in topics {
            let partitions = kafka::partitions(&consumer, topic)
                .with_context(|| format!("cannot read the partitions of the topic {topic}"))?;
            for partition in partitions {
                let offset = match from {
                    // The end at this moment, not at the moment of the first fetch.
                    Offset::End => Offset::Offset(watermarks(&consumer, topic, partition)?.1),
                    other => other,
                };
                assigned.add_partition_offset(topic, partition, offset)?;
            }
        }
        consumer.assign(&assigned)?;
        Ok(Self(consumer))
    }

    /// Returns every event that the topics have now, or an error if Kafka does not deliver them in time.
    pub fn read_to_end(&self) -> Result<Vec<KafkaEvent>> {
        let mut ends = HashMap::new();
        for assigned in self.0.assignment()?.elements() {
            let (topic, partition) = (assigned.topic().to_owned(), assigned.partition());
            let (low, high) = watermarks(&self.0, &topic, partition)?;
            if high > low {
                ends.insert((topic, partition), high);
            }
        }
        let mut all = Vec::new();
        while !ends.is_empty() {
            let event = self
                .next(kafka::TIMEOUT)
                .with_context(|| format!("Kafka did not deliver the rest of {:?} in time", ends.keys()))?;
            let partition = (event.topic.clone(), event.partition);
            if ends.get(&partition).is_some_and(|end| event.offset + 1 >= *end) {
                ends.remove(&partition);
            }
            all.push(event);
        }
        Ok(all)
    }

    /// Returns the next event, or `None` if none arrives in time.
    pub fn next(&self, within: Duration) -> Option<KafkaEvent> {
        let deadline = Instant::now() + within;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            if let Some(Ok(message)) = self.0.poll(left) {
                return Some(decode(&message));
            }
        }
        None
    }
}

/// Returns a partition's first offset and the offset after its last.
fn watermarks(consumer: &BaseConsumer, topic: &str, partition: i32) -> KafkaResult<(i64, i64)> {
    kafka::retry_transient(|| consumer.fetch_watermarks(topic, partition, kafka::TIMEOUT))
}

fn decode(message: &impl Message) -> KafkaEvent {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: HashMap<String, String> = message.headers().map_or_else(HashMap::new, |headers| {
        headers.iter().map(|header| (header.key.to_owned(), header.value.map(text).unwrap_or_default())).collect()
    });
    let event_type = headers.get("ce_type").cloned().unwrap_or_default();
    let payload = message.payload().and_then(|payload| contracts::decode(&event_type, payload)).unwrap_or(Value::Null);
    let millis = message.timestamp().to_millis().map(|millis| i128::from(millis) * 1_000_000);
    KafkaEvent {
        topic: message.topic().to_owned(),
        key: message.key().map(text).unwrap_or_default(),
        headers,
        payload,
        at: millis.and_then(|nanos| OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()),
        partition: message.partition(),
        offset: message.offset(),
    }
}
