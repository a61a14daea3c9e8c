//! Compares offsets: how far the log and each service have read Kafka.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use devstack::kafka::{self, each_partition};
use devstack::testing::until;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use super::log::consumer;
use super::running::Running;

impl Running {
    /// Runs a blocking query of the Kafka client.
    async fn ask<T: Send + 'static>(
        &self,
        group: &str,
        question: impl FnOnce(&BaseConsumer, &[(String, i32)]) -> T + Send + 'static,
    ) -> T {
        let client = {
            let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(consumer(&self.brokers, group));
            clients.entry(group.to_owned()).or_insert_with(new).clone()
        };
        let partitions = self.partitions.clone();
        tokio::task::spawn_blocking(move || question(&client, &partitions)).await.expect("the query ended")
    }

    /// Waits until everything that is on Kafka now has been read.
    pub(super) async fn read_to_the_end(&self) {
        let ends = self.ask("none", |consumer, partitions| {
            // One query for all partitions: the time -1 is the end.
            let mut wanted = TopicPartitionList::new();
            for (topic, partition) in partitions {
                wanted.add_partition_offset(topic, *partition, Offset::End).expect("an offset");
            }
            let ends = || each_partition(consumer.offsets_for_times(wanted.clone(), kafka::TIMEOUT)?);
            kafka::retry_transient(ends).expect("the ends")
        });
        let end = |offset: Offset| match offset {
            Offset::Offset(offset) => offset,
            other => panic!("no end offset of a partition: {other:?}"),
        };
        let ends = ends.await;
        let ends = ends.elements();
        let ends: HashMap<(String, i32), i64> =
            ends.iter().map(|at| ((at.topic().to_owned(), at.partition()), end(at.offset()))).collect();
        until("all of Kafka is read", async || {
            let log = self.log();
            ends.iter().all(|(partition, end)| log.next.get(partition).copied().unwrap_or_default() >= *end)
        })
        .await;
    }

    /// Returns the committed offset of a service for each partition.
    pub(super) async fn handled(&self, service: &str) -> HashMap<(String, i32), i64> {
        let group = format!("{}{service}", self.topic_prefix);
        let committed = self.ask(&group, |consumer, partitions| {
            let mut wanted = TopicPartitionList::new();
            for (topic, partition) in partitions {
                wanted.add_partition(topic, *partition);
            }
            let committed = || each_partition(consumer.committed_offsets(wanted.clone(), kafka::TIMEOUT)?);
            kafka::retry_transient(committed).expect("offsets")
        });
        let offset = |offset: Offset| match offset {
            Offset::Offset(offset) => offset,
            _ => 0,
        };
        let committed = committed.await;
        let elements = committed.elements();
        elements.iter().map(|at| ((at.topic().to_owned(), at.partition()), offset(at.offset()))).collect()
    }
}
