//! Requests to a running mart.

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

/// An event as it lies on Kafka.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The topic, with its prefix.
    pub topic: String,
    /// The key.
    pub key: String,
    /// The headers.
    pub headers: HashMap<String, String>,
    /// The payload in JSON, or `null` where it can't be decoded.
    pub payload: Value,
    /// When it was produced.
    pub at: Option<OffsetDateTime>,
    /// Where it lies in its topic.
    pub partition: i32,
    /// Its place in the partition.
    pub offset: i64,
}

impl Seen {
    /// The event's name without its package.
    pub fn name(&self) -> &str {
        self.header("ce_type").rsplit('.').next().unwrap_or_default()
    }

    /// A header's value; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The id of the trace that it belongs to.
    pub fn trace_id(&self) -> &str {
        self.header("traceparent").split('-').nth(1).unwrap_or_default()
    }
}

/// Reads topics without a group, and so without a trace in Kafka.
#[allow(missing_debug_implementations, reason = "the client library's consumer has none")]
pub struct Reader(BaseConsumer);

impl Reader {
    /// Reads topics from an offset on; `Offset::End` is what comes from now on.
    pub fn new(brokers: &str, topics: &[String], from: Offset) -> Result<Self> {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", brokers).set("group.id", "none").set("enable.auto.commit", "false");
        client.set("fetch.wait.max.ms", "20").set("log_level", "0");
        let consumer: BaseConsumer = client.create()?;
        let mut assigned = TopicPartitionList::new();
        for topic in topics {
            let partitions = kafka::partitions(&consumer, topic)
                .with_context(|| format!("Kafka does not find the topic {topic}"))?;
            for partition in partitions {
                let offset = match from {
                    // The end as it is now, not as it is when the first record is fetched.
                    Offset::End => Offset::Offset(watermarks(&consumer, topic, partition)?.1),
                    other => other,
                };
                assigned.add_partition_offset(topic, partition, offset)?;
            }
        }
        consumer.assign(&assigned)?;
        Ok(Self(consumer))
    }

    /// Every event that lies there now. An error if Kafka does not deliver them in time.
    pub fn to_the_end(&self) -> Result<Vec<Seen>> {
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
            let seen = self
                .next(kafka::TIMEOUT)
                .with_context(|| format!("Kafka does not deliver the rest of {:?}", ends.keys()))?;
            let place = (seen.topic.clone(), seen.partition);
            if ends.get(&place).is_some_and(|end| seen.offset + 1 >= *end) {
                ends.remove(&place);
            }
            all.push(seen);
        }
        Ok(all)
    }

    /// The next event, if one comes in time.
    pub fn next(&self, within: Duration) -> Option<Seen> {
        let deadline = Instant::now() + within;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            if let Some(Ok(message)) = self.0.poll(left) {
                return Some(seen(&message));
            }
        }
        None
    }
}

/// Returns a partition's first offset and the one after its last.
fn watermarks(consumer: &BaseConsumer, topic: &str, partition: i32) -> KafkaResult<(i64, i64)> {
    kafka::retry_transient(|| consumer.fetch_watermarks(topic, partition, kafka::TIMEOUT))
}

fn seen(message: &impl Message) -> Seen {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: HashMap<String, String> = message.headers().map_or_else(HashMap::new, |headers| {
        headers.iter().map(|header| (header.key.to_owned(), header.value.map(text).unwrap_or_default())).collect()
    });
    let kind = headers.get("ce_type").cloned().unwrap_or_default();
    let payload = message.payload().and_then(|payload| contracts::decode(&kind, payload)).unwrap_or(Value::Null);
    let millis = message.timestamp().to_millis().map(|millis| i128::from(millis) * 1_000_000);
    Seen {
        topic: message.topic().to_owned(),
        key: message.key().map(text).unwrap_or_default(),
        headers,
        payload,
        at: millis.and_then(|nanos| OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()),
        partition: message.partition(),
        offset: message.offset(),
    }
}
