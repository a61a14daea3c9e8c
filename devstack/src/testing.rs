//! What integration tests stand on: one real PostgreSQL and one real Kafka for a whole run, isolation by database, topic
//! prefix and group.
//!
//! `./mart test` starts both and tells where they are. A test that lacks them fails and says how to run it.

use std::path::PathBuf;

use anyhow::{Context, Result};
use uuid::Uuid;

use crate::databases::{self, Urls};
use crate::keys::Keys;
use crate::ports;
use crate::secrets::Secrets;
use crate::service::Setting;

/// Names the superuser's URL of the run's PostgreSQL.
pub const POSTGRES: &str = "MART_TEST_POSTGRES";
/// Names the address of the run's Kafka.
pub const KAFKA: &str = "MART_TEST_KAFKA";
/// Names the folder that goes away after the run.
pub const SCRATCH: &str = "MART_TEST_SCRATCH";

/// The servers of the run.
#[derive(Debug, Clone)]
pub struct Servers {
    /// A URL of the superuser.
    pub postgres: String,
    /// Kafka's address.
    pub kafka: String,
    /// For files of the run.
    pub scratch: PathBuf,
}

impl Servers {
    /// Those that `./mart test` started.
    ///
    /// # Panics
    /// Without them: a test that can't run has failed.
    pub fn of_this_run() -> Self {
        let told =
            |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run this test by ./mart test"));
        Self { postgres: told(POSTGRES), kafka: told(KAFKA), scratch: told(SCRATCH).into() }
    }

    /// A new empty database of a service.
    pub async fn database(&self, service: &str) -> Result<Urls> {
        let name = format!("{service}_{}", Uuid::new_v4().simple());
        let secrets = Secrets::in_file(&self.scratch.join("secrets.json"));
        databases::ensure(&self.postgres, service, &name, &secrets).await.context("a test database could not be made")
    }

    /// A service with a database, a topic prefix and ports of its own, migrated and not yet started.
    pub async fn service(&self, name: &str, program: &str) -> Result<Setting> {
        let run = Uuid::new_v4().simple().to_string();
        let setting = Setting {
            name: name.to_owned(),
            program: program.into(),
            http: ports::any()?,
            internal: ports::any()?,
            database: self.database(name).await?,
            brokers: self.kafka.clone(),
            topic_prefix: format!("t{}.", &run[..12]),
            keys: Keys::in_folder(&self.scratch.join("keys"))?,
            page_secret: run.clone(),
            log: self.scratch.join(format!("logs/{name}-{run}.log")),
            more: Vec::new(),
        };
        setting.migrate().await?;
        Ok(setting)
    }
}
