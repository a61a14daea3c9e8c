//! PostgreSQL and Kafka for one run.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use devstack::kafka::Kafka;
use devstack::postgres::{Durability, Postgres};
use devstack::{outln, ports, state, testing};

/// The servers of a run. Their folder is deleted when this is dropped.
pub(super) struct Servers {
    running: Option<(Postgres, Kafka)>,
    /// The environment variables that tests find them by.
    pub(super) env: [(&'static str, String); 3],
    folder: PathBuf,
}

impl Servers {
    pub(super) async fn start() -> Result<Self> {
        outln!("starting PostgreSQL and Kafka for the tests");
        let folder = state().join(format!("test/{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let password = uuid::Uuid::new_v4().simple().to_string();
        let (postgres_folder, kafka_folder) = (folder.join("postgres"), folder.join("kafka"));
        // Created before the servers start, so that an interruption deletes the folder, too.
        let env = [testing::POSTGRES, testing::KAFKA, testing::SCRATCH].map(|name| (name, String::new()));
        let mut servers = Self { running: None, env, folder };
        let (port, kafka_port, controller) = (ports::any()?, ports::any()?, ports::any()?);
        let (postgres, kafka) = tokio::try_join!(
            Postgres::start(&postgres_folder, port, &password, Durability::ProcessCrash),
            Kafka::start(&kafka_folder, kafka_port, controller),
        )?;
        let scratch = servers.folder.display().to_string();
        for ((_, value), new) in servers.env.iter_mut().zip([postgres.url("postgres"), kafka.brokers(), scratch]) {
            *value = new;
        }
        servers.running = Some((postgres, kafka));
        Ok(servers)
    }

    pub(super) async fn stop(mut self) {
        if let Some((mut postgres, mut kafka)) = self.running.take() {
            kafka.stop().await;
            postgres.stop().await;
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // Kills the servers. PostgreSQL's child processes have their own process groups and may still write for a moment, until
        // they notice that their parent is gone. So the deletion is retried.
        self.running.take();
        let deadline = Instant::now() + Duration::from_secs(20);
        while let Err(error) = std::fs::remove_dir_all(&self.folder) {
            if error.kind() == ErrorKind::NotFound {
                break;
            }
            if Instant::now() > deadline {
                eprintln!("cannot delete {}: {error}", self.folder.display());
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
