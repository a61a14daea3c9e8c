//! The gateway as a process, in front of services that run.

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

/// Makes a gateway's file, and makes it anew when keys have come or gone.
#[derive(Debug, Clone)]
pub struct Refresher {
    file: PathBuf,
    addresses: BTreeMap<String, String>,
    keys: Keys,
    known: Vec<Key>,
}

impl Refresher {
    /// Makes the file anew where keys have come or gone; the gateway reads it by itself.
    pub fn refresh(&mut self) -> Result<()> {
        let now = self.keys.all()?;
        if now != self.known {
            write(&self.file, &self.keys, &self.addresses)?;
            self.known = now;
        }
        Ok(())
    }

    /// Refreshes again and again. What can't be written now, such as while somebody edits the rendered file, is tried again.
    pub async fn keep(mut self) {
        loop {
            if let Err(error) = self.refresh() {
                eprintln!("the gateway's file could not be made anew: {error:#}");
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// A gateway that runs.
#[derive(Debug)]
pub struct Running {
    program: PathBuf,
    refresher: Refresher,
    ports: (u16, u16),
    log: PathBuf,
    /// Its process.
    pub process: Process,
}

impl Running {
    /// Makes its file in a folder and starts it: `program` is the devstack's own, `addresses` are those of the services and
    /// `ports` its own and that of its metrics.
    pub async fn start(
        program: &Path,
        folder: &Path,
        addresses: BTreeMap<String, String>,
        keys: &Keys,
        ports: (u16, u16),
    ) -> Result<Self> {
        let (file, log) = (folder.join("kong.yml"), folder.join("logs/gateway.log"));
        let known = keys.all()?;
        write(&file, keys, &addresses)?;
        let process = launch(program, &file, ports, &log)?;
        let refresher = Refresher { file, addresses, keys: keys.clone(), known };
        let mut gateway = Self { program: program.to_owned(), refresher, ports, log, process };
        gateway.until_ready().await?;
        Ok(gateway)
    }

    /// Where requests go.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.0)
    }

    /// Where its metrics are.
    pub fn status_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.1)
    }

    /// Where its output goes.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// What keeps its file as the keys are.
    pub fn refresher(&mut self) -> &mut Refresher {
        &mut self.refresher
    }

    /// Starts it again when it has ended.
    pub async fn again(&mut self) -> Result<()> {
        self.process = launch(&self.program, &self.refresher.file, self.ports, &self.log)?;
        self.until_ready().await
    }

    async fn until_ready(&mut self) -> Result<()> {
        self.process.until_answers(&format!("{}/status/ready", self.status_url())).await
    }
}

fn write(file: &Path, keys: &Keys, addresses: &BTreeMap<String, String>) -> Result<()> {
    let rendered = root().join("kong/kong.yml");
    let text = std::fs::read_to_string(&rendered).with_context(|| format!("{} can't be read", rendered.display()))?;
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
