//! A private Kafka: one node that is both controller and broker (KRaft).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::MetadataPartition;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{ClientConfig, TopicPartitionList};
use rustix::process::Signal;
use tokio::process::Command;

use crate::process::{self, Process};
use crate::toolchain::{self, Tool};

/// A Kafka node with its data in a folder. It may be running or stopped.
#[derive(Debug)]
pub struct Kafka {
    java: PathBuf,
    jars: PathBuf,
    folder: PathBuf,
    port: u16,
    /// Whether the node has been started before.
    has_run: bool,
    process: Option<Process>,
}

impl Kafka {
    /// Creates a node in a folder, unless it exists, and starts it. `controller` is a port that only the node itself uses.
    pub async fn start(folder: &Path, port: u16, controller: u16) -> Result<Self> {
        let (java, jars) = (toolchain::get(Tool::Java).await?, toolchain::get(Tool::Kafka).await?);
        let has_run = folder.join("data/meta.properties").exists();
        let mut node = Self { java, jars, folder: folder.to_owned(), port, has_run, process: None };
        node.prepare(controller).await.context("cannot create Kafka's data folder")?;
        node.run().await?;
        Ok(node)
    }

    /// Returns the address for clients.
    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Returns the process, or `None` if the node is stopped.
    pub fn process(&mut self) -> Option<&mut Process> {
        self.process.as_mut()
    }

    async fn prepare(&self, controller: u16) -> Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let data = self.folder.join("data");
        let settings = [
            ("process.roles", "broker,controller".to_owned()),
            ("node.id", "1".to_owned()),
            ("controller.quorum.voters", format!("1@127.0.0.1:{controller}")),
            ("listeners", format!("PLAINTEXT://127.0.0.1:{},CONTROLLER://127.0.0.1:{controller}", self.port)),
            ("advertised.listeners", format!("PLAINTEXT://127.0.0.1:{}", self.port)),
            ("controller.listener.names", "CONTROLLER".to_owned()),
            ("log.dirs", data.display().to_string()),
            ("offsets.topic.replication.factor", "1".to_owned()),
            ("offsets.topic.num.partitions", "4".to_owned()),
            ("transaction.state.log.replication.factor", "1".to_owned()),
            ("transaction.state.log.min.isr", "1".to_owned()),
            ("group.initial.rebalance.delay.ms", "0".to_owned()),
            // Short, so that the partitions of a killed service are reassigned soon in tests.
            ("group.min.session.timeout.ms", "1000".to_owned()),
            ("auto.create.topics.enable", "false".to_owned()),
        ];
        let text: String = settings.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        std::fs::write(self.settings(), text)?;
        if data.join("meta.properties").exists() {
            return Ok(());
        }
        let mut words = self.java("kafka.tools.StorageTool");
        words.extend(["format", "--ignore-formatted", "-t", "bWFydC1kZXZlbG9wbWVudA", "-c"].map(str::to_owned));
        words.push(self.settings().display().to_string());
        let (program, arguments) = words.split_first().context("the command is empty")?;
        process::run(Command::new(program).args(arguments)).await
    }

    /// Starts the node after it was stopped or killed.
    pub async fn run(&mut self) -> Result<()> {
        let mut words = self.java("kafka.Kafka");
        if self.has_run {
            // Maps the classes that the previous run loaded, which halves the start time. The archive is written when Java exits.
            let archive = format!("-XX:SharedArchiveFile={}", self.folder.join("classes.jsa").display());
            words.splice(1..1, ["-XX:+AutoCreateSharedArchive".to_owned(), archive]);
        }
        self.has_run = true;
        words.push(self.settings().display().to_string());
        let mut process = Process::start("kafka", words, &[], &self.folder.join("log"), Signal::TERM)?;
        let brokers = self.brokers();
        let advice =
            "cannot start Kafka (if a port is in use, stop its owner; if its data is damaged, ./mart down --wipe)";
        process.wait_until(Duration::from_mins(4), || is_available(brokers.clone())).await.context(advice)?;
        self.process = Some(process);
        Ok(())
    }

    /// Stops the node.
    pub async fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop(Duration::from_secs(20)).await;
        }
    }

    /// Kills the node with SIGKILL, like a crash.
    pub async fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().await;
        }
    }

    fn settings(&self) -> PathBuf {
        self.folder.join("server.properties")
    }

    fn java(&self, class: &str) -> Vec<String> {
        let mut words = vec![self.java.display().to_string()];
        words.extend(["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"].map(str::to_owned));
        words.push("-Dorg.slf4j.simpleLogger.showDateTime=true".to_owned());
        words.extend(["-cp".to_owned(), format!("{}/*", self.jars.display()), class.to_owned()]);
        words
    }
}

/// The number of partitions of a topic.
pub const PARTITIONS: i32 = 12;

/// Creates the missing topics, as a service's `migrate` does for its own.
pub async fn topics(brokers: &str, names: &[String]) -> Result<()> {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new().set("bootstrap.servers", brokers).create()?;
    let new: Vec<NewTopic<'_>> =
        names.iter().map(|name| NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(1))).collect();
    for result in admin.create_topics(&new, &AdminOptions::new()).await? {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) => anyhow::bail!("cannot create the topic {name}: {code}"),
        }
    }
    Ok(())
}

/// The timeout of a request to Kafka.
pub const TIMEOUT: Duration = Duration::from_mins(1);

/// Returns the result of a request to Kafka. Repeats the request for at most [`TIMEOUT`] while the error is transient: brokers
/// return such errors for a moment after a topic was created and while they start.
pub fn retry_transient<T>(mut request: impl FnMut() -> KafkaResult<T>) -> KafkaResult<T> {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        match request() {
            Err(error) if is_transient(&error) && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(20));
            }
            result => return result,
        }
    }
}

/// Returns the list, or the first error of one of its partitions.
pub fn each_partition(list: TopicPartitionList) -> KafkaResult<TopicPartitionList> {
    list.elements().iter().try_for_each(TopicPartitionListElem::error)?;
    Ok(list)
}

/// Returns the numbers of a topic's partitions, or an error if the topic does not exist or Kafka does not respond in time.
pub fn partitions(consumer: &BaseConsumer, topic: &str) -> KafkaResult<Vec<i32>> {
    retry_transient(|| {
        let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
        let missing = KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition);
        let topic = metadata.topics().iter().find(|found| found.name() == topic).ok_or(missing)?;
        let failed = topic.error().into_iter().chain(topic.partitions().iter().filter_map(MetadataPartition::error));
        match failed.map(RDKafkaErrorCode::from).next() {
            Some(code) => Err(KafkaError::MetadataFetch(code)),
            None => Ok(topic.partitions().iter().map(MetadataPartition::id).collect()),
        }
    })
}

fn is_transient(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownPartition
                | RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::LeaderNotAvailable
                | RDKafkaErrorCode::CoordinatorNotAvailable
                | RDKafkaErrorCode::CoordinatorLoadInProgress
                | RDKafkaErrorCode::NotCoordinator
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
        )
    )
}

/// Returns whether a broker responds to a request for metadata.
async fn is_available(brokers: String) -> bool {
    let available = tokio::task::spawn_blocking(move || {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", brokers).set("log_level", "0");
        let client: Result<BaseConsumer, _> = client.create();
        client.is_ok_and(|client| {
            client.fetch_metadata(None, Duration::from_secs(1)).is_ok_and(|metadata| !metadata.brokers().is_empty())
        })
    });
    available.await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transient_errors_are_retried_and_others_returned() {
        let moved = [RDKafkaErrorCode::NotLeaderForPartition, RDKafkaErrorCode::LeaderNotAvailable];
        assert_eq!(retry_transient(request(&moved)), Ok(7));
        let refused = RDKafkaErrorCode::TopicAuthorizationFailed;
        assert_eq!(retry_transient(request(&[refused])), Err(KafkaError::MetadataFetch(refused)));
    }

    /// Returns a request that fails with each of these errors, then succeeds.
    fn request(errors: &[RDKafkaErrorCode]) -> impl FnMut() -> KafkaResult<i32> {
        let mut errors = errors.iter().copied();
        move || errors.next().map_or(Ok(7), |code| Err(KafkaError::MetadataFetch(code)))
    }
}
