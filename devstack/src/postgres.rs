//! A private PostgreSQL.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;
use sqlx::{Connection, PgConnection};
use tokio::process::Command;

use crate::process::{self, Process};
use crate::toolchain::{self, Tool};

/// The superuser of a private cluster.
pub const SUPERUSER: &str = "mart";
/// The user and group id that PostgreSQL runs with if this process is root, because it refuses to run as root: 65534, the
/// unprivileged user of Linux.
const UNPRIVILEGED: u32 = 65534;

/// The durability of a cluster's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The data survives a power failure, as in production.
    Full,
    /// The data survives the crash of a process only. For tests, because it is faster.
    ProcessCrash,
}

/// A PostgreSQL cluster with its data in a folder. It may be running or stopped.
#[derive(Debug)]
pub struct Postgres {
    bin: PathBuf,
    folder: PathBuf,
    port: u16,
    password: String,
    durability: Durability,
    process: Option<Process>,
}

impl Postgres {
    /// Creates a cluster in a folder, unless it exists, and starts it. It listens on 127.0.0.1 only.
    pub async fn start(folder: &Path, port: u16, password: &str, durability: Durability) -> Result<Self> {
        let bin = toolchain::get(Tool::Postgres).await?;
        let (folder, password) = (folder.to_owned(), password.to_owned());
        let mut cluster = Self { bin, folder, port, password, durability, process: None };
        cluster.prepare().await.context("cannot create PostgreSQL's data folder")?;
        cluster.run().await?;
        Ok(cluster)
    }

    /// Returns the superuser's URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{SUPERUSER}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// Returns the folder of PostgreSQL's programs.
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// Returns the process, or `None` if the cluster is stopped.
    pub fn process(&mut self) -> Option<&mut Process> {
        self.process.as_mut()
    }

    async fn prepare(&self) -> Result<()> {
        let data = self.data();
        if data.join("PG_VERSION").exists() {
            return Ok(());
        }
        // Left by an interrupted start.
        if data.exists() {
            std::fs::remove_dir_all(&data)?;
        }
        std::fs::create_dir_all(&self.folder)?;
        let fresh = self.folder.join("data.new");
        if fresh.exists() {
            std::fs::remove_dir_all(&fresh)?;
        }
        std::fs::create_dir(&fresh)?;
        let secret = self.folder.join("password");
        std::fs::write(&secret, &self.password)?;
        if is_root() {
            for path in [&fresh, &secret] {
                std::os::unix::fs::chown(path, Some(UNPRIVILEGED), Some(UNPRIVILEGED))?;
            }
        }
        let mut words = as_user();
        words.push(self.bin.join("initdb").display().to_string());
        words.extend(
            ["-U", SUPERUSER, "--auth=scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"].map(str::to_owned),
        );
        words.extend([format!("--pwfile={}", secret.display()), "-D".to_owned(), fresh.display().to_string()]);
        let (program, arguments) = words.split_first().context("the command is empty")?;
        let created = process::run(Command::new(program).args(arguments)).await;
        std::fs::remove_file(&secret)?;
        created?;
        Ok(std::fs::rename(fresh, data)?)
    }

    /// Starts the cluster after it was stopped or killed.
    pub async fn run(&mut self) -> Result<()> {
        let mut words = as_user();
        words.push(self.bin.join("postgres").display().to_string());
        words.extend(["-D".to_owned(), self.data().display().to_string()]);
        let port = self.port.to_string();
        let mut settings = vec![
            ("port", port.as_str()),
            ("listen_addresses", "127.0.0.1"),
            // No socket: its path may have at most 107 bytes, and the clone's path may be longer.
            ("unix_socket_directories", ""),
            ("max_connections", "300"),
            ("shared_buffers", "256MB"),
            ("max_wal_size", "2GB"),
        ];
        if self.durability == Durability::ProcessCrash {
            settings.extend([("fsync", "off"), ("full_page_writes", "off")]);
        }
        words.extend(settings.iter().flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")]));
        let log = self.folder.join("log");
        let mut process = Process::start("postgres", words, &[], &log, Signal::INT)?;
        let url = self.url("postgres");
        let available = || async { PgConnection::connect(&url).await.is_ok() };
        let advice = "cannot start PostgreSQL (if its port is in use, stop its owner; if its data is damaged, ./mart down --wipe)";
        process.wait_until(Duration::from_mins(3), available).await.context(advice)?;
        self.process = Some(process);
        Ok(())
    }

    /// Stops the cluster: ends its sessions and writes its data.
    pub async fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop(Duration::from_secs(20)).await;
        }
    }

    /// Kills the server with SIGKILL, like a crash.
    pub async fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().await;
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

/// Returns the start of a command line. If this process is root, it is a `setpriv` that switches to an unprivileged user who can
/// still read root's folders.
fn as_user() -> Vec<String> {
    if !is_root() {
        return vec!["env".to_owned()];
    }
    let capabilities = "-all,+dac_override,+dac_read_search";
    let words = [
        "setpriv".to_owned(),
        // Otherwise the kernel ignores the capabilities in access(2), with which initdb looks for its programs.
        "--securebits=+no_setuid_fixup".to_owned(),
        format!("--reuid={UNPRIVILEGED}"),
        format!("--regid={UNPRIVILEGED}"),
        "--clear-groups".to_owned(),
        format!("--inh-caps={capabilities}"),
        format!("--ambient-caps={capabilities}"),
        "--".to_owned(),
    ];
    words.to_vec()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
