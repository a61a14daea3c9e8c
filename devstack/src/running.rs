//! The addresses of the running mart, which all other commands read.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::state;

/// The addresses of the running mart. `./mart up` stores them in `.mart/running.json` for the other commands.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RunningStack {
    /// The process id of `./mart up`.
    pub pid: u32,
    /// The address of Kafka.
    pub brokers: String,
    /// The URL of PostgreSQL's superuser.
    pub postgres: String,
    /// The base URL of the gateway.
    pub gateway: String,
    /// The base URL of the payment sandbox.
    pub sandbox: String,
    /// The base URL of the mail server's web page.
    #[serde(default)]
    pub mail: String,
    /// The folder of PostgreSQL's programs.
    pub postgres_bin: PathBuf,
    /// The services.
    pub services: Vec<RunningService>,
}

/// The addresses of a running service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunningService {
    /// The service's name.
    pub name: String,
    /// The base URL of the operations.
    pub url: String,
    /// The base URL of health, metrics and dead letters.
    pub internal_url: String,
}

impl RunningStack {
    fn file() -> PathBuf {
        state().join("running.json")
    }

    /// Reads the addresses, or returns an error if the mart is not running.
    pub fn read() -> Result<Self> {
        let text =
            std::fs::read_to_string(Self::file()).ok().context("the mart is not running: start it with ./mart up")?;
        // Unlike the file or a process id, the lock is reliable after a crash.
        ensure!(lock()?.is_none(), "the mart has ended: start it again with ./mart up");
        Ok(serde_json::from_str(&text)?)
    }

    /// Writes the addresses. Only the file's owner may read it, because it contains a password.
    pub fn write(&self) -> Result<()> {
        crate::secrets::write_private(&Self::file(), serde_json::to_string_pretty(self)?.as_bytes())
    }

    /// Deletes the file with the addresses.
    pub fn forget() {
        if Self::file().exists() && std::fs::remove_file(Self::file()).is_err() {
            eprintln!("cannot delete {}", Self::file().display());
        }
    }

    /// Returns the superuser's URL of every service's database, by the service's name.
    pub fn databases(&self) -> BTreeMap<String, String> {
        let server = self.postgres.rsplit_once('/').map_or(self.postgres.as_str(), |(server, _)| server);
        let services = self.services.iter();
        services.map(|service| (service.name.clone(), format!("{server}/{}", service.name))).collect()
    }
}

/// Acquires the lock of this clone's only `./mart up`, until the result is dropped. Returns `None` if another process has it.
pub fn lock() -> Result<Option<File>> {
    std::fs::create_dir_all(state())?;
    let file = File::create(state().join("up.lock"))?;
    Ok(flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok().then_some(file))
}
