//! Events as records: in the outbox, on Kafka and as a handler receives them.
//!
//! On Kafka a record is a CloudEvent 1.0 in binary mode (Kafka protocol binding 1.0.2) with a protobuf payload. The other modules
//! and the services use [`Record`], never the types of the client library.

use mart_kernel::{EventEnvelope, Fingerprint, Receipt, Timestamp, Version};
use mart_proto::Wire;
use rdkafka::message::{Headers, Message, OwnedHeaders};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// An encoded event of one aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The event's id, which is never reused.
    pub id: Uuid,
    /// When the event happened, in business time.
    pub at: Timestamp,
    /// The topic, without the environment's prefix.
    pub topic: String,
    /// The aggregate's id. Records with one key keep their order.
    pub key: String,
    /// The full name of the payload's message.
    pub event_type: String,
    /// The aggregate's version after the event.
    pub version: Version,
    /// The trace context in which the event was committed.
    pub traceparent: String,
    /// The encoded message.
    pub payload: Vec<u8>,
}

impl Record {
    /// Encodes an event. Generated code calls this with the contract's topic and the event's key.
    pub fn of<E, M: Wire>(event: &EventEnvelope<E>, topic: &str, key: String, message: &M) -> Self {
        Self {
            id: event.id,
            at: event.at,
            topic: topic.to_owned(),
            key,
            event_type: M::full_name(),
            version: event.version,
            traceparent: crate::trace::current().to_string(),
            payload: message.encode_to_vec(),
        }
    }

    /// Returns the CloudEvents attributes as Kafka headers.
    pub(crate) fn headers(&self, source: &str) -> OwnedHeaders {
        let at = self.at.get().format(&Rfc3339).unwrap_or_default();
        let (id, version) = (self.id.to_string(), self.version.to_string());
        let all = [
            ("ce_specversion", "1.0"),
            ("ce_id", &id),
            ("ce_type", &self.event_type),
            ("ce_source", source),
            ("ce_time", &at),
            ("ce_version", &version),
            ("content-type", "application/protobuf"),
            ("traceparent", &self.traceparent),
        ];
        all.into_iter().fold(OwnedHeaders::new_with_capacity(8), |headers, (key, value)| {
            headers.insert(rdkafka::message::Header { key, value: Some(value) })
        })
    }
}

/// A decoded event, as a handler receives it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceivedEvent<M> {
    /// The handler that receives the event.
    pub handler: &'static str,
    /// The event's id.
    pub id: Uuid,
    /// When the event happened, in business time.
    pub at: Timestamp,
    /// The aggregate's version after the event.
    pub version: Version,
    /// The contract's message.
    pub payload: M,
}

impl<M: Wire> ReceivedEvent<M> {
    /// Decodes the payload of a record. An error if the payload is not a message of this type.
    pub fn decode(handler: &'static str, record: &Record) -> Result<Self, prost::DecodeError> {
        let payload = M::decode(record.payload.as_slice())?;
        Ok(Self { handler, id: record.id, at: record.at, version: record.version, payload })
    }
}

impl<M> ReceivedEvent<M> {
    /// Returns the receipt to commit with the handler's effect, so that the event is applied once.
    pub fn receipt(&self) -> Receipt {
        let (scope, key) = (self.handler.to_owned(), self.id.to_string());
        Receipt { scope, key, fingerprint: [0; 32], subject: String::new() }
    }
}

/// A topic that a service owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    /// Its name, without the prefix of the environment.
    pub name: &'static str,
    /// The retention of its records in minutes.
    pub retention_minutes: u32,
}

/// A record with the bytes that Kafka delivered. The inbox stores pending records and dead letters in this form.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct RawRecord {
    /// The topic, with the environment's prefix.
    #[prost(string, tag = "1")]
    pub(crate) topic: String,
    #[prost(int32, tag = "2")]
    pub(crate) partition: i32,
    #[prost(int64, tag = "3")]
    pub(crate) offset: i64,
    /// Milliseconds since 1970; absent if the broker gave none.
    #[prost(int64, optional, tag = "4")]
    pub(crate) timestamp: Option<i64>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub(crate) key: Option<Vec<u8>>,
    #[prost(message, repeated, tag = "6")]
    pub(crate) headers: Vec<RawHeader>,
    #[prost(bytes = "vec", optional, tag = "7")]
    pub(crate) payload: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct RawHeader {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub(crate) value: Option<Vec<u8>>,
}

/// The reason why a record is not a valid event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidRecord {
    #[error("the header {0} is missing")]
    HeaderMissing(&'static str),
    #[error("the header {0} is malformed")]
    HeaderMalformed(&'static str),
    #[error("the key is missing or not text")]
    Key,
    #[error("the value is missing")]
    Null,
}

impl RawRecord {
    pub(crate) fn of(message: &impl Message) -> Self {
        let headers = message.headers().map_or_else(Vec::new, |headers| {
            let raw = |header: rdkafka::message::Header<'_, &[u8]>| RawHeader {
                name: header.key.to_owned(),
                value: header.value.map(<[u8]>::to_vec),
            };
            headers.iter().map(raw).collect()
        });
        Self {
            topic: message.topic().to_owned(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp().to_millis(),
            key: message.key().map(<[u8]>::to_vec),
            headers,
            payload: message.payload().map(<[u8]>::to_vec),
        }
    }

    /// Returns the header's text, or `None` if it is absent or not UTF-8.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|header| header.name == name)?;
        std::str::from_utf8(header.value.as_deref()?).ok()
    }

    /// Returns a hash that identifies a record without a valid id. It does not depend on partition, offset and time.
    pub(crate) fn hash(&self) -> String {
        let mut digest = Fingerprint::new("record").part(self.topic.as_bytes()).optional(self.key.as_deref());
        for header in &self.headers {
            digest = digest.part(header.name.as_bytes()).optional(header.value.as_deref());
        }
        base16ct::lower::encode_string(&digest.optional(self.payload.as_deref()).finish())
    }

    /// Decodes the CloudEvents attributes.
    pub(crate) fn record(&self, prefix: &str) -> Result<Record, InvalidRecord> {
        let header = |name: &'static str| self.header(name).ok_or(InvalidRecord::HeaderMissing(name));
        let malformed = InvalidRecord::HeaderMalformed;
        let id = header("ce_id")?.parse().map_err(|_| malformed("ce_id"))?;
        let event_type = header("ce_type")?.to_owned();
        let at = OffsetDateTime::parse(header("ce_time")?, &Rfc3339).map_err(|_| malformed("ce_time"))?;
        let version = header("ce_version")?.parse().map_err(|_| malformed("ce_version"))?;
        let key = self.key.clone().and_then(|key| String::from_utf8(key).ok()).ok_or(InvalidRecord::Key)?;
        let traceparent = self.header("traceparent").unwrap_or_default().to_owned();
        let payload = self.payload.clone().ok_or(InvalidRecord::Null)?;
        let topic = self.topic.strip_prefix(prefix).unwrap_or(&self.topic).to_owned();
        Ok(Record { id, at: Timestamp::new(at), topic, key, event_type, version, traceparent, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> RawRecord {
        let header =
            |(name, value): (&str, &str)| RawHeader { name: name.to_owned(), value: Some(value.as_bytes().to_vec()) };
        let headers = [
            ("ce_id", "018f0000-0000-7000-8000-000000000001"),
            ("ce_type", "mart.product.v1.ProductArchived"),
            ("ce_time", "2026-11-25T10:00:00.5Z"),
            ("ce_version", "3"),
        ];
        RawRecord {
            topic: "t1.mart.product.v1".to_owned(),
            key: Some(b"p".to_vec()),
            headers: headers.map(header).to_vec(),
            payload: Some(vec![1]),
            ..RawRecord::default()
        }
    }

    #[test]
    fn a_record_is_read_from_its_headers() {
        let record = raw().record("t1.").expect("whole");
        assert_eq!((record.topic.as_str(), record.version.get()), ("mart.product.v1", 3));
    }

    #[test]
    fn a_missing_attribute_is_named() {
        for name in ["ce_id", "ce_type", "ce_time", "ce_version"] {
            let mut raw = raw();
            raw.headers.retain(|header| header.name != name);
            assert_eq!(raw.record(""), Err(InvalidRecord::HeaderMissing(name)));
        }
        assert_eq!(RawRecord { payload: None, ..raw() }.record(""), Err(InvalidRecord::Null));
        assert_eq!(RawRecord { key: Some(vec![0xff]), ..raw() }.record(""), Err(InvalidRecord::Key));
    }

    #[test]
    fn the_hash_depends_on_content_not_on_position() {
        let moved = RawRecord { partition: 7, offset: 99, timestamp: Some(1), ..raw() };
        assert_eq!(moved.hash(), raw().hash());
        assert_ne!(RawRecord { payload: None, ..raw() }.hash(), raw().hash());
        assert_ne!(RawRecord { payload: Some(vec![]), ..raw() }.hash(), RawRecord { payload: None, ..raw() }.hash());
    }
}
