//! Events told by hand, in another service's name: `./mart publish`, and tests.

use std::time::Duration;

use anyhow::Result;
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// An event of another service; told again, it is the same one.
#[derive(Debug, Clone)]
pub struct TestEvent {
    topic: String,
    kind: String,
    key: String,
    version: i64,
    id: Uuid,
    at: OffsetDateTime,
    trace: Uuid,
    payload: Vec<u8>,
}

impl TestEvent {
    /// An event of this message, now, at version 1; the topic is without the prefix of the environment.
    pub fn new(topic: &str, kind: &str, payload: Vec<u8>) -> Self {
        Self {
            topic: topic.to_owned(),
            kind: kind.to_owned(),
            key: "key".to_owned(),
            version: 1,
            id: Uuid::new_v4(),
            at: OffsetDateTime::now_utc(),
            trace: Uuid::new_v4(),
            payload,
        }
    }

    /// The same about this aggregate at this version.
    #[must_use]
    pub fn about(self, key: &str, version: i64) -> Self {
        Self { key: key.to_owned(), version, ..self }
    }

    /// The same under this id.
    #[must_use]
    pub fn under(self, id: Uuid) -> Self {
        Self { id, ..self }
    }

    /// The event's id.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The id of its trace.
    pub fn trace_id(&self) -> String {
        self.trace.simple().to_string()
    }

    fn headers(&self) -> OwnedHeaders {
        let trace = self.trace_id();
        let headers = [
            ("ce_specversion", "1.0".to_owned()),
            ("ce_id", self.id.to_string()),
            ("ce_type", self.kind.clone()),
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

/// Puts events onto Kafka, as fast as they go.
pub async fn publish(brokers: &str, topic_prefix: &str, all: &[TestEvent]) -> Result<()> {
    let producer: FutureProducer = ClientConfig::new().set("bootstrap.servers", brokers).create()?;
    let send = |told: &TestEvent| {
        let (told, producer, topic) = (told.clone(), producer.clone(), format!("{topic_prefix}{}", told.topic));
        async move {
            let record = FutureRecord::to(&topic).key(&told.key).payload(&told.payload).headers(told.headers());
            producer.send(record, Duration::from_secs(20)).await.map_err(|(error, _)| error)
        }
    };
    futures::future::try_join_all(all.iter().map(send)).await?;
    Ok(())
}
