//! The configuration of all Kafka clients.

use std::collections::HashMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::Config;
use crate::record::Topic;

const PARTITIONS: i32 = 12;
/// The minutes of a week.
const WEEK: u32 = 7 * 24 * 60;

fn base(config: &Config) -> ClientConfig {
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", &config.kafka_brokers)
        .set("client.id", config.service)
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        .set("topic.metadata.refresh.interval.ms", "5000");
    client
}

/// Returns the configuration of a producer that preserves the order per key and never drops a record.
pub(crate) fn producer(config: &Config) -> ClientConfig {
    let mut client = base(config);
    client
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", "0")
        // Records never expire: an expired one would be overtaken by the next one with its key.
        .set("message.timeout.ms", "0")
        .set("queue.buffering.max.messages", "20000")
        .set("queue.buffering.max.kbytes", "16384");
    client
}

/// Returns the configuration of a consumer that commits offsets only explicitly.
pub(crate) fn consumer(config: &Config) -> ClientConfig {
    let (mut client, session) = (base(config), config.kafka_session_timeout);
    client
        .set("group.id", format!("{}{}", config.topic_prefix, config.service))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("allow.auto.create.topics", "false")
        .set("session.timeout.ms", session.as_millis().to_string())
        .set("heartbeat.interval.ms", (session / 10).min(Duration::from_secs(1)).as_millis().to_string())
        // At least the session timeout: brokers reject less.
        .set("max.poll.interval.ms", session.max(Duration::from_mins(5)).as_millis().to_string())
        .set("fetch.queue.backoff.ms", "5")
        .set("fetch.wait.max.ms", "100")
        .set("queued.max.messages.kbytes", "4096")
        .set("fetch.message.max.bytes", "262144");
    client
}

/// Creates the missing topics with 12 partitions. Existing topics stay unchanged.
///
/// A topic has three replicas, or as many as there are brokers.
pub(crate) async fn create_topics(config: &Config, topics: &[Topic]) -> Result<(), KafkaError> {
    let admin: AdminClient<DefaultClientContext> = base(config).create()?;
    let named = |topic: &Topic| {
        let milliseconds = u64::from(topic.retention_minutes) * 60_000;
        let short = topic.retention_minutes < WEEK;
        (format!("{}{}", config.topic_prefix, topic.name), milliseconds.to_string(), short)
    };
    let topics: Vec<(String, String, bool)> = topics.iter().map(named).collect();
    let metadata = admin.inner().fetch_metadata(None, Duration::from_secs(15))?;
    let replicas = i32::try_from(metadata.brokers().len()).unwrap_or(1).clamp(1, 3);
    let existing: HashMap<&str, usize> =
        metadata.topics().iter().map(|topic| (topic.name(), topic.partitions().len())).collect();
    let missing: Vec<NewTopic<'_>> = topics
        .iter()
        .filter(|(name, _, _)| !existing.contains_key(name.as_str()))
        .map(|(name, retention, short)| {
            let topic = NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(replicas));
            let topic = topic.set("retention.ms", retention);
            // Kafka deletes closed segments only, and by default closes one after a week.
            if *short { topic.set("segment.ms", retention) } else { topic }
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    for made in
        admin.create_topics(&missing, &AdminOptions::new().operation_timeout(Some(Duration::from_secs(15)))).await?
    {
        match made {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(KafkaError::AdminOp(code)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rdkafka::consumer::BaseConsumer;

    use super::*;

    #[test]
    fn every_valid_session_timeout_creates_a_consumer() {
        for seconds in [1, 10, 1_800] {
            let mut config =
                Config::of_database("shelf", "postgres://unused@127.0.0.1:1/none").expect("a configuration");
            config.kafka_brokers = "127.0.0.1:1".to_owned();
            config.kafka_session_timeout = Duration::from_secs(seconds);
            let created: Result<BaseConsumer, KafkaError> = consumer(&config).create();
            assert!(created.is_ok(), "{seconds}: {error:?}", error = created.err());
        }
    }
}
