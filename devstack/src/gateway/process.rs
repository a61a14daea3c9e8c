//! The gateway as a process in front of running services.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;

use super::effective;
use crate::keys::{Key, Keys};
use crate::process::Process;
use crate::root;
use crate::secrets::write_private;

/// Keeps the gateway's file up to date with the keys.
#[derive(Debug, Clone)]
pub struct Refresher {
    file: PathBuf,
    addresses: BTreeMap<String, String>,
    keys: Keys,
    /// The keys that are in the file.
    written: Vec<Key>,
}

impl Refresher {
    /// Writes the file if keys were added or removed. The gateway rereads it on its own.
    pub fn refresh(&mut self) -> Result<()> {
        let current = self.keys.all()?;
        if current != self.written {
            write(&self.file, &self.keys, &self.addresses)?;
            self.written = current;
        }
        Ok(())
    }

    /// Refreshes the file until the future is dropped. A failure, such as while the rendered file is being edited, is retried.
    pub async fn run(mut self) {
        loop {
            if let Err(error) = self.refresh() {
                eprintln!("cannot update the gateway's file: {error:#}");
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// A running gateway.
#[derive(Debug)]
pub struct GatewayProcess {
    program: PathBuf,
    refresher: Refresher,
    ports: (u16, u16),
    log: PathBuf,
    /// The gateway's process.
    pub process: Process,
}

impl GatewayProcess {
    /// Writes the gateway's file into a folder and starts the gateway. `program` is the devstack's own program, `addresses` has the
    /// services' addresses, and `ports` are the gateway's port and that of its metrics.
    pub async fn start(
        program: &Path,
        folder: &Path,
        addresses: BTreeMap<String, String>,
        keys: &Keys,
        ports: (u16, u16),
    ) -> Result<Self> {
        let (file, log) = (folder.join("kong.yml"), folder.join("logs/gateway.log"));
        let written = keys.all()?;
        write(&file, keys, &addresses)?;
        let process = launch(program, &file, ports, &log)?;
        let refresher = Refresher { file, addresses, keys: keys.clone(), written };
        let mut gateway = Self { program: program.to_owned(), refresher, ports, log, process };
        gateway.wait_until_ready().await?;
        Ok(gateway)
    }

    /// Returns the base URL for requests.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.0)
    }

    /// Returns the base URL of metrics and readiness.
    pub fn status_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.1)
    }

    /// Returns the path of the log.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Returns the refresher of the gateway's file.
    pub fn refresher(&mut self) -> &mut Refresher {
        &mut self.refresher
    }

    /// Starts the gateway again after its process has ended.
    pub async fn restart(&mut self) -> Result<()> {
        self.process = launch(&self.program, &self.refresher.file, self.ports, &self.log)?;
        self.wait_until_ready().await
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        self.process.wait_until_available(&format!("{}/status/ready", self.status_url())).await
    }
}

fn write(file: &Path, keys: &Keys, addresses: &BTreeMap<String, String>) -> Result<()> {
    let rendered = root().join("kong/kong.yml");
    let text = std::fs::read_to_string(&rendered).with_context(|| format!("cannot read {}", rendered.display()))?;
    write_private(file, effective(&text, keys, addresses)?.as_bytes())
}

fn launch(program: &Path, file: &Path, (port, status): (u16, u16), log: &Path) -> Result<Process> {
    let words = [
        program.display().to_string(),
        "gateway".to_owned(),
        file.display().to_string(),
        format!("--address=127.0.0.1:{port}"),
        format!("--status=127.0.0.1:{status}"),
    ];
    Process::start("gateway", words.to_vec(), &[], log, Signal::TERM)
}
