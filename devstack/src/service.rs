//! A service as a process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;
use tokio::process::Command;

use crate::databases::Urls;
use crate::keys::{AUDIENCE, ISSUER, Keys};
use crate::process::{self, Process};
use crate::{root, state};

/// How a service is run.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its program.
    pub program: PathBuf,
    /// The port of its operations.
    pub http: u16,
    /// The port of its internal listener.
    pub internal: u16,
    /// Its database.
    pub database: Urls,
    /// Kafka.
    pub brokers: String,
    /// Put before topics and groups.
    pub topic_prefix: String,
    /// Whose tokens it takes.
    pub keys: Keys,
    /// Seals its page tokens.
    pub page_secret: String,
    /// Where its output goes.
    pub log: PathBuf,
    /// Further variables, or others than usual.
    pub more: Vec<(String, String)>,
}

impl Setting {
    /// The environment of a process that uses its database by this URL.
    pub fn env(&self, database_url: &str) -> Vec<(String, String)> {
        let mut env = vec![
            ("HTTP_ADDR", format!("127.0.0.1:{}", self.http)),
            ("INTERNAL_ADDR", format!("127.0.0.1:{}", self.internal)),
            ("DATABASE_URL", database_url.to_owned()),
            ("KAFKA_BROKERS", self.brokers.clone()),
            ("TOPIC_PREFIX", self.topic_prefix.clone()),
            ("TOKEN_KEYS", self.keys.jwks().display().to_string()),
            ("TOKEN_ISSUER", ISSUER.to_owned()),
            ("TOKEN_AUDIENCE", AUDIENCE.to_owned()),
            ("PAGE_TOKEN_SECRET", self.page_secret.clone()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect::<Vec<_>>();
        env.extend(self.more.iter().cloned());
        env
    }

    /// The address of its operations.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http)
    }

    /// The address of its internal listener.
    pub fn internal_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.internal)
    }

    /// Runs its migrations and makes its topics.
    pub async fn migrate(&self) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.arg("migrate").envs(self.env(&self.database.owner));
        process::run(&mut command).await.with_context(|| format!("{} could not be migrated", self.name))
    }

    /// Starts it, without waiting for it.
    pub fn start(&self) -> Result<Process> {
        let words = vec![self.program.display().to_string(), "serve".to_owned()];
        Process::start(&self.name, words, &self.env(&self.database.app), &self.log, Signal::TERM)
    }

    /// Starts it and waits until it is ready.
    pub async fn start_ready(&self) -> Result<Process> {
        let mut process = self.start()?;
        process.until(Duration::from_secs(30), || self.ready()).await?;
        Ok(process)
    }

    /// Whether it says that it is ready.
    pub async fn ready(&self) -> bool {
        let asked =
            reqwest::Client::new().get(format!("{}/readyz", self.internal_url())).timeout(Duration::from_secs(2));
        asked.send().await.is_ok_and(|answer| answer.status().is_success())
    }
}

/// The services of this clone: folders of `services/` with a program.
pub fn all() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root().join("services"))? {
        let entry = entry?;
        if entry.path().join("service/Cargo.toml").exists() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Builds services and puts their programs below `.mart/bin/`, where no other build replaces them while they run.
pub async fn build(services: &[String]) -> Result<BTreeMap<String, PathBuf>> {
    let packages: Vec<String> = services.iter().map(|name| format!("{name}-service")).collect();
    let built = programs(&packages, false).await?;
    let bin = state().join("bin");
    std::fs::create_dir_all(&bin)?;
    let mut kept = BTreeMap::new();
    for (service, package) in services.iter().zip(&packages) {
        let program =
            built.get(package).with_context(|| format!("the package {package} has no program of that name"))?;
        let (fresh, path) = (bin.join(format!("{package}.new")), bin.join(package));
        std::fs::copy(program, &fresh)?;
        std::fs::rename(fresh, &path)?;
        kept.insert(service.clone(), path);
    }
    Ok(kept)
}

/// Builds packages and says where cargo put their programs, by their names.
pub async fn programs(packages: &[String], release: bool) -> Result<BTreeMap<String, PathBuf>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root()).args(["build", "--quiet", "--message-format=json-render-diagnostics"]);
    cargo.args(packages.iter().flat_map(|package| ["--package", package]));
    if release {
        cargo.arg("--release");
    }
    let told = process::build(&mut cargo).await?;
    let program = |line: &str| -> Option<(String, PathBuf)> {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some((message["target"]["name"].as_str()?.to_owned(), message["executable"].as_str()?.into()))
    };
    Ok(told.lines().filter_map(program).collect())
}
