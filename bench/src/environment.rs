//! The servers and programs of the benchmarks. The servers are as durable as in production.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use devstack::kafka::Kafka;
use devstack::ports;
use devstack::postgres::{Durability, Postgres};
use devstack::service::{self, ServiceSpec};
use devstack::testing::Servers;

use crate::Scale;

pub(crate) struct Environment {
    pub(crate) postgres: Postgres,
    kafka: Kafka,
    servers: Servers,
    folder: PathBuf,
    programs: BTreeMap<String, PathBuf>,
}

impl Environment {
    pub(crate) async fn start(scale: Scale) -> Result<Self> {
        println!("building the services ({})", if scale.release { "release" } else { "debug" });
        let mut names: Vec<String> = service::all()?.iter().map(|name| format!("{name}-service")).collect();
        names.extend(["shelf-service", "devstack"].map(str::to_owned));
        let programs = service::programs(scale.release, &names).await?;
        let folder = devstack::state().join(format!("bench/{}", std::process::id()));
        let (port, kafka_port, controller) = (ports::any()?, ports::any()?, ports::any()?);
        let (postgres_folder, kafka_folder) = (folder.join("postgres"), folder.join("kafka"));
        let (postgres, kafka) = tokio::try_join!(
            Postgres::start(&postgres_folder, port, "bench", Durability::Full),
            Kafka::start(&kafka_folder, kafka_port, controller),
        )?;
        let servers = Servers { postgres: postgres.url("postgres"), kafka: kafka.brokers(), scratch: folder.clone() };
        Ok(Self { postgres, kafka, servers, folder, programs })
    }

    /// Prepares a service with its own database and topics, and with the scale's number of database connections.
    pub(crate) async fn service(&self, name: &str, scale: Scale) -> Result<ServiceSpec> {
        self.service_among(name, scale, &devstack::testing::prefix()).await
    }

    /// Like [`Environment::service`], but with a topic prefix that other services share.
    pub(crate) async fn service_among(&self, name: &str, scale: Scale, prefix: &str) -> Result<ServiceSpec> {
        let program = self.program(&format!("{name}-service"))?;
        let mut spec = self.servers.service_among(name, &program.display().to_string(), prefix).await?;
        spec.more = vec![
            ("DATABASE_MAX_CONNECTIONS".to_owned(), scale.connections.to_string()),
            ("RUST_LOG".to_owned(), "warn".to_owned()),
        ];
        Ok(spec)
    }

    /// Returns the path of a program that was built for the benchmarks.
    pub(crate) fn program(&self, name: &str) -> Result<&Path> {
        self.programs.get(name).map(PathBuf::as_path).with_context(|| format!("the program {name} was not built"))
    }

    /// Returns the folder of the benchmarks' files. It is deleted when this is dropped.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) async fn stop(mut self) {
        self.kafka.stop().await;
        self.postgres.stop().await;
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        if std::fs::remove_dir_all(&self.folder).is_err() {
            println!("cannot delete {}", self.folder.display());
        }
    }
}
