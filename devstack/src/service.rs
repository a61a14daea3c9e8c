//! A service as a process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;
use tokio::process::Command;

use crate::databases::Urls;
use crate::keys::{AUDIENCE, ISSUER, Keys};
use crate::process::{self, Process};
use crate::{demo_users, mail, root, sandbox, state};

/// How a service is run.
#[derive(Debug, Clone)]
pub struct ServiceSpec {
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

impl ServiceSpec {
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
            // As in the image: what a hash took goes back to the machine, which glibc would not do by itself.
            ("MALLOC_MMAP_THRESHOLD_", "131072".to_owned()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect::<Vec<_>>();
        // No other one gets the private keys.
        if self.name == demo_users::USER {
            env.push(("TOKEN_SIGNING_KEYS".to_owned(), self.keys.folder().display().to_string()));
        }
        if self.name == sandbox::PAYMENT {
            // Nobody answers there: who wants a sandbox says where it is.
            let nowhere = sandbox::Access { port: 9, key: self.page_secret.clone(), secret: self.page_secret.clone() };
            env.extend(nowhere.variables());
        }
        if self.name == mail::NOTIFICATION {
            // Nor there: who wants a mail server says where it is.
            env.extend(mail::Access { smtp: 9, page: 9 }.variables());
        }
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
        process::run(&mut command).await.with_context(|| {
            let mend = "mend the migration that it names; one that ran is never changed, or ./mart down --wipe makes the data new";
            format!("{} could not be migrated: {mend}", self.name)
        })
    }

    /// Starts it, without waiting for it.
    pub fn start(&self) -> Result<Process> {
        let words = vec![self.program.display().to_string(), "serve".to_owned()];
        Process::start(&self.name, words, &self.env(&self.database.app), &self.log, Signal::TERM)
    }

    /// Starts it and waits until it is ready.
    pub async fn start_ready(&self) -> Result<Process> {
        let mut process = self.start()?;
        process.until(Duration::from_mins(3), || self.ready()).await?;
        Ok(process)
    }

    /// Whether it says that it is ready.
    pub async fn ready(&self) -> bool {
        let asked =
            crate::http::client().get(format!("{}/readyz", self.internal_url())).timeout(Duration::from_secs(2));
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
    let names: Vec<String> = services.iter().map(|service| format!("{service}-service")).collect();
    let built = programs(false, &names).await?;
    std::fs::create_dir_all(state().join("bin"))?;
    let mut kept = BTreeMap::new();
    for service in services {
        let name = format!("{service}-service");
        let program = built.get(&name).with_context(|| format!("the package {name} has no program of that name"))?;
        let path = kept_program(service);
        keep(program, &path)?;
        kept.insert(service.clone(), path);
    }
    Ok(kept)
}

/// Gives a program another name, under which it stays when the next build replaces it: cargo's linkers write a new file.
pub(crate) fn keep(program: &Path, kept: &Path) -> Result<()> {
    let fresh = kept.with_extension("new");
    std::fs::remove_file(&fresh).ok();
    // A copy where the two are on different file systems.
    if std::fs::hard_link(program, &fresh).is_err() {
        std::fs::copy(program, &fresh)?;
    }
    Ok(std::fs::rename(fresh, kept)?)
}

/// Where the program of a service of this clone's stack is.
pub fn kept_program(service: &str) -> PathBuf {
    state().join(format!("bin/{service}-service"))
}

/// Builds programs of the workspace and says where cargo put them, by their names.
///
/// They are chosen as programs, not as packages: then cargo takes the features of the whole workspace, and no dependency is built
/// again for another choice.
pub async fn programs(release: bool, names: &[String]) -> Result<BTreeMap<String, PathBuf>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root()).args(["build", "--workspace", "--message-format=json-render-diagnostics"]);
    cargo.args(names.iter().flat_map(|name| ["--bin", name]));
    if release {
        cargo.arg("--release");
    }
    // The first build takes minutes and shows how far it is; later ones are a matter of seconds.
    if state().join("bin").exists() {
        cargo.arg("--quiet");
    }
    let told = process::build(&mut cargo).await?;
    let program = |line: &str| -> Option<(String, PathBuf)> {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some((message["target"]["name"].as_str()?.to_owned(), message["executable"].as_str()?.into()))
    };
    Ok(told.lines().filter_map(program).collect())
}
