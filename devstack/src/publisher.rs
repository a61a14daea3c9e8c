//! Publishes events in place of the service that owns them, for `./mart publish` and tests.

use std::time::Duration;

use anyhow::Result;
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// An event to publish. Publishing the same value again publishes a duplicate, with the same id.
#[derive(Debug, Clone)]
pub struct TestEvent {
    topic: String,
    event_type: String,
    key: String,
    version: i64,
    id: Uuid,
    at: OffsetDateTime,
    trace: Uuid,
    payload: Vec<u8>,
}

impl TestEvent {
    /// Creates an event with a new id, the current time, version 1 and the key `key`. The topic has no prefix.
    pub fn new(topic: &str, event_type: &str, payload: Vec<u8>) -> Self {
        Self {
            topic: topic.to_owned(),
            event_type: event_type.to_owned(),
            key: "key".to_owned(),
            version: 1,
            id: Uuid::new_v4(),
            at: OffsetDateTime::now_utc(),
            trace: Uuid::new_v4(),
            payload,
        }
    }

    /// Sets the aggregate's id, which is the record's key, and its version.
    #[must_use]
    pub fn about(self, key: &str, version: i64) -> Self {
        Self { key: key.to_owned(), version, ..self }
    }

    /// Sets the event's id.
    #[must_use]
    pub fn with_id(self, id: Uuid) -> Self {
        Self { id, ..self }
    }

    /// Returns the event's id.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Returns the id of the event's trace.
    pub fn trace_id(&self) -> String {
        self.trace.simple().to_string()
    }

    fn headers(&self) -> OwnedHeaders {
        let trace = self.trace_id();
        let headers = [
            ("ce_specversion", "1.0".to_owned()),
            ("ce_id", self.id.to_string()),
            ("ce_type", self.event_type.clone()),
            ("ce_source", "mart-devstack".to_owned()),
            ("ce_time", self.at.format(&Rfc3339).unwrap_or_default()),
            ("ce_version", self.version.to_string()),
            ("content-type", "application/protobuf".to_owned()),
            ("traceparent", format!("00-{trace}-{}-01", &trace[..16])),
        ];
        headers
            .iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(value) }))
    }
}

/// Publishes events to Kafka concurrently and waits until all are acknowledged.
pub async fn publish(brokers: &str, topic_prefix: &str, all: &[TestEvent]) -> Result<()> {
    let producer: FutureProducer = ClientConfig::new().set("bootstrap.servers", brokers).create()?;
    let send = |event: &TestEvent| {
        let (event, producer, topic) = (event.clone(), producer.clone(), format!("{topic_prefix}{}", event.topic));
        async move {
            let record = FutureRecord::to(&topic).key(&event.key).payload(&event.payload).headers(event.headers());
            producer.send(record, Duration::from_secs(20)).await.map_err(|(error, _)| error)
        }
    };
    futures::future::try_join_all(all.iter().map(send)).await?;
    Ok(())
}
