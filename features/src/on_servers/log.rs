//! The log of everything on Kafka, which a thread reads until the mart has ended.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mart_chassis::Record;
use mart_kernel::Timestamp;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A record read from Kafka.
#[derive(Debug, Clone)]
pub(super) struct LoggedRecord {
    pub(super) record: Record,
    pub(super) partition: i32,
    pub(super) offset: i64,
}

/// All records read so far.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) records: Vec<LoggedRecord>,
    /// The next offset of each partition.
    pub(super) next: HashMap<(String, i32), i64>,
}

/// Creates a consumer of a group. It commits no offset.
pub(super) fn consumer(brokers: &str, group: &str) -> BaseConsumer {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", brokers).set("group.id", group).set("enable.auto.commit", "false");
    client.set("fetch.wait.max.ms", "20").set("log_level", "0");
    client.create().expect("a consumer")
}

/// Reads all topics into a log until the mart has ended.
pub(super) fn read_all(
    brokers: &str,
    prefix: &str,
    partitions: &Arc<Vec<(String, i32)>>,
    log: &Arc<Mutex<Log>>,
    ended: &Arc<AtomicBool>,
) {
    let (consumer, partitions, prefix) = (consumer(brokers, "none"), partitions.clone(), prefix.to_owned());
    let (log, ended) = (log.clone(), ended.clone());
    // A thread of its own, which ends with the mart.
    let read = move || {
        let mut assigned = TopicPartitionList::new();
        for (topic, partition) in partitions.iter() {
            assigned.add_partition_offset(topic, *partition, Offset::Beginning).expect("an offset");
        }
        consumer.assign(&assigned).expect("assigned");
        while !ended.load(Ordering::Relaxed) {
            let Some(Ok(message)) = consumer.poll(Duration::from_millis(50)) else { continue };
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            let (partition, offset) = (message.partition(), message.offset());
            log.next.insert((message.topic().to_owned(), partition), offset + 1);
            if let Some(record) = record(&message, &prefix) {
                log.records.push(LoggedRecord { record, partition, offset });
            }
        }
    };
    std::thread::spawn(read);
}

/// Returns the record of a message; `None` if it is not an event of this mart.
fn record(message: &impl Message, prefix: &str) -> Option<Record> {
    let headers = message.headers()?;
    let header = |name: &str| {
        let header = headers.iter().find(|header| header.key == name)?;
        std::str::from_utf8(header.value?).ok().map(str::to_owned)
    };
    Some(Record {
        id: header("ce_id")?.parse().ok()?,
        at: Timestamp::new(OffsetDateTime::parse(&header("ce_time")?, &Rfc3339).ok()?),
        topic: message.topic().strip_prefix(prefix)?.to_owned(),
        key: String::from_utf8(message.key()?.to_vec()).ok()?,
        event_type: header("ce_type")?,
        version: header("ce_version")?.parse().ok()?,
        traceparent: header("traceparent").unwrap_or_default(),
        payload: message.payload().unwrap_or_default().to_vec(),
    })
}
