//! A PostgreSQL of one's own.

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
/// PostgreSQL refuses root; as root its processes become this user (nobody).
const NOBODY: u32 = 65534;

/// How careful a cluster is with its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// As in production.
    Full,
    /// For tests that throw the data away: fast, and still right after a crash of a process.
    ProcessCrash,
}

/// A cluster in a folder, that may run.
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
    /// Prepares a cluster below a folder and starts it on a port of this machine only.
    pub async fn start(folder: &Path, port: u16, password: &str, durability: Durability) -> Result<Self> {
        let bin = toolchain::get(Tool::Postgres).await?;
        let (folder, password) = (folder.to_owned(), password.to_owned());
        let mut cluster = Self { bin, folder, port, password, durability, process: None };
        cluster.prepare().await.context("PostgreSQL's data folder could not be made")?;
        cluster.run().await?;
        Ok(cluster)
    }

    /// A URL of a database on it as the superuser.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{SUPERUSER}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// The folder with its programs.
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// The process, while it runs.
    pub fn process(&mut self) -> Option<&mut Process> {
        self.process.as_mut()
    }

    async fn prepare(&self) -> Result<()> {
        let data = self.data();
        if data.join("PG_VERSION").exists() {
            return Ok(());
        }
        // What an interrupted start left.
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
                std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY))?;
            }
        }
        let mut words = as_user();
        words.push(self.bin.join("initdb").display().to_string());
        words.extend(
            ["-U", SUPERUSER, "--auth=scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"].map(str::to_owned),
        );
        words.extend([format!("--pwfile={}", secret.display()), "-D".to_owned(), fresh.display().to_string()]);
        let (program, arguments) = words.split_first().context("a command has a program")?;
        let made = process::run(Command::new(program).args(arguments)).await;
        std::fs::remove_file(&secret)?;
        made?;
        Ok(std::fs::rename(fresh, data)?)
    }

    /// Starts it again after it was stopped or killed.
    pub async fn run(&mut self) -> Result<()> {
        let mut words = as_user();
        words.push(self.bin.join("postgres").display().to_string());
        words.extend(["-D".to_owned(), self.data().display().to_string()]);
        let port = self.port.to_string();
        let mut settings = vec![
            ("port", port.as_str()),
            ("listen_addresses", "127.0.0.1"),
            // A path of a socket has at most 107 bytes, and a clone may lie deeper.
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
        let answers = || async { PgConnection::connect(&url).await.is_ok() };
        let mend = "If its port is taken, stop what has it; if its data is damaged, ./mart down --wipe makes it new.";
        process.until(Duration::from_mins(3), answers).await.context(mend)?;
        self.process = Some(process);
        Ok(())
    }

    /// ShutdownSignals it: sessions are ended, data is written.
    pub async fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop(Duration::from_secs(20)).await;
        }
    }

    /// Kills it without a word, as a crash would.
    pub async fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().await;
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

/// As root, becomes another user that may still read what lies below root's own folders.
fn as_user() -> Vec<String> {
    if !is_root() {
        return vec!["env".to_owned()];
    }
    let capabilities = "-all,+dac_override,+dac_read_search";
    let words = [
        "setpriv".to_owned(),
        // Without it the kernel forgets the capabilities in access(2), by which initdb looks for its own programs.
        "--securebits=+no_setuid_fixup".to_owned(),
        format!("--reuid={NOBODY}"),
        format!("--regid={NOBODY}"),
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
