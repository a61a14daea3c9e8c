//! Builds, migrates and starts services.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;
use tokio::process::Command;

use crate::databases::Urls;
use crate::keys::{AUDIENCE, ISSUER, Keys};
use crate::process::{self, Process};
use crate::{mail, root, sandbox, state};

/// The name of the user service, whose command creates admins.
pub const USER: &str = "user";

/// The configuration of a service process.
#[derive(Debug, Clone)]
pub struct ServiceSpec {
    /// The service's name.
    pub name: String,
    /// The service's program.
    pub program: PathBuf,
    /// The port of the operations.
    pub http: u16,
    /// The port of the internal listener.
    pub internal: u16,
    /// The URLs of the database.
    pub database: Urls,
    /// The address of Kafka.
    pub brokers: String,
    /// The prefix of topics and consumer groups.
    pub topic_prefix: String,
    /// The keys of the accepted tokens.
    pub keys: Keys,
    /// The secret that signs page tokens.
    pub page_secret: String,
    /// The log file.
    pub log: PathBuf,
    /// Additional environment variables. They replace the defaults.
    pub more: Vec<(String, String)>,
}

impl ServiceSpec {
    /// Returns the environment of a process that connects to the database with this URL.
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
            // As in the image: makes glibc return the memory of a password hash to the system.
            ("MALLOC_MMAP_THRESHOLD_", "131072".to_owned()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect::<Vec<_>>();
        // Only the user service gets the private keys.
        if self.name == USER {
            env.push(("TOKEN_SIGNING_KEYS".to_owned(), self.keys.folder().display().to_string()));
        }
        if self.name == sandbox::PAYMENT {
            // A placeholder: nothing listens on port 9. `more` has the address of a sandbox, if there is one.
            let placeholder =
                sandbox::Access { port: 9, key: self.page_secret.clone(), secret: self.page_secret.clone() };
            env.extend(placeholder.variables());
        }
        if self.name == mail::NOTIFICATION {
            // A placeholder, too. `more` has the address of a mail server, if there is one.
            env.extend(mail::Access { smtp: 9, page: 9 }.variables());
        }
        env.extend(self.more.iter().cloned());
        env
    }

    /// Returns the base URL of the operations.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http)
    }

    /// Returns the base URL of the internal listener.
    pub fn internal_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.internal)
    }

    /// Runs the migrations and creates the topics.
    pub async fn migrate(&self) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.arg("migrate").envs(self.env(&self.database.owner));
        process::run(&mut command).await.with_context(|| {
            let advice =
                "if the data is of an older build, delete it with ./mart down --wipe; otherwise fix the migration named below";
            format!("cannot migrate {} ({advice})", self.name)
        })
    }

    /// Runs the service's own health check, as a container does.
    pub async fn healthcheck(&self) -> Result<()> {
        let mut command = Command::new(&self.program);
        process::run(command.arg("healthcheck").envs(self.env(&self.database.app))).await
    }

    /// Starts the service without waiting until it is ready.
    pub fn start(&self) -> Result<Process> {
        let words = vec![self.program.display().to_string(), "serve".to_owned()];
        Process::start(&self.name, words, &self.env(&self.database.app), &self.log, Signal::TERM)
    }

    /// Starts the service and waits until it is ready.
    pub async fn start_ready(&self) -> Result<Process> {
        let mut process = self.start()?;
        process.wait_until(Duration::from_mins(3), || self.ready()).await?;
        Ok(process)
    }

    /// Returns whether the service's readiness check passes.
    pub async fn ready(&self) -> bool {
        let request =
            crate::http::client().get(format!("{}/readyz", self.internal_url())).timeout(Duration::from_secs(2));
        request.send().await.is_ok_and(|response| response.status().is_success())
    }
}

/// Returns the names of this clone's services: the folders of `services/` that have a program.
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

/// Builds services and links their programs into `.mart/bin/`, so that a later build does not replace them while they run.
pub async fn build(services: &[String]) -> Result<BTreeMap<String, PathBuf>> {
    let names: Vec<String> = services.iter().map(|service| format!("{service}-service")).collect();
    let built = programs(false, &names).await?;
    std::fs::create_dir_all(state().join("bin"))?;
    let mut installed = BTreeMap::new();
    for service in services {
        let name = format!("{service}-service");
        let program = built.get(&name).with_context(|| format!("the package {name} has no program {name}"))?;
        let path = installed_program(service);
        install(program, &path)?;
        installed.insert(service.clone(), path);
    }
    Ok(installed)
}

/// Links a program to a second path. The link keeps its content after the next build, because linkers write a new file.
pub(crate) fn install(program: &Path, path: &Path) -> Result<()> {
    let fresh = path.with_extension("new");
    std::fs::remove_file(&fresh).ok();
    // Copies the program if the two paths are on different file systems.
    if std::fs::hard_link(program, &fresh).is_err() {
        std::fs::copy(program, &fresh)?;
    }
    Ok(std::fs::rename(fresh, path)?)
}

/// Returns the path of a service's program in this clone's stack.
pub fn installed_program(service: &str) -> PathBuf {
    state().join(format!("bin/{service}-service"))
}

/// Builds programs of the workspace and returns their paths by name.
///
/// They are selected as programs instead of packages, so that cargo uses the features of the whole workspace and rebuilds no
/// dependency for another selection.
pub async fn programs(release: bool, names: &[String]) -> Result<BTreeMap<String, PathBuf>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root()).args(["build", "--workspace", "--message-format=json-render-diagnostics"]);
    cargo.args(names.iter().flat_map(|name| ["--bin", name]));
    if release {
        cargo.arg("--release");
    }
    // The first build takes minutes and shows its progress. Later builds take seconds.
    if state().join("bin").exists() {
        cargo.arg("--quiet");
    }
    let messages = process::build(&mut cargo).await?;
    let program = |line: &str| -> Option<(String, PathBuf)> {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some((message["target"]["name"].as_str()?.to_owned(), message["executable"].as_str()?.into()))
    };
    Ok(messages.lines().filter_map(program).collect())
}
