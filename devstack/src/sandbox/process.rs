//! The sandbox as a process, beside services that run.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rustix::process::Signal;

use crate::process::Process;
use crate::secrets::Secrets;

/// The service that asks it for money.
pub const PAYMENT: &str = "payment";

/// Where the sandbox is, and what it and payment have to know of each other.
#[derive(Debug, Clone)]
pub struct Access {
    /// The port that it serves at.
    pub port: u16,
    /// What lets payment use its API.
    pub key: String,
    /// What its words are signed with.
    pub secret: String,
}

impl Access {
    /// At a port, with secrets that are made up once.
    pub fn new(port: u16, secrets: &Secrets) -> Result<Self> {
        Ok(Self { port, key: secrets.get("sandbox-key")?, secret: secrets.get("sandbox-secret")? })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What payment has to know.
    pub fn variables(&self) -> [(String, String); 3] {
        [("SANDBOX_URL", self.url()), ("SANDBOX_KEY", self.key.clone()), ("SANDBOX_SECRETS", self.secret.clone())]
            .map(|(name, value)| (name.to_owned(), value))
    }
}

/// A sandbox that runs.
#[derive(Debug)]
pub struct Running {
    program: PathBuf,
    access: Access,
    callback: String,
    log: PathBuf,
    /// Its process.
    pub process: Process,
}

impl Running {
    /// Starts it: `program` is the devstack's own, and its words go through the gateway.
    pub async fn start(program: &Path, folder: &Path, access: Access, gateway: &str) -> Result<Self> {
        let callback = format!("{gateway}/v1/payment-webhooks/sandbox");
        let log = folder.join("logs/sandbox.log");
        let process = launch(program, &access, &callback, &log)?;
        let mut sandbox = Self { program: program.to_owned(), access, callback, log, process };
        sandbox.until_ready().await?;
        Ok(sandbox)
    }

    /// Its address.
    pub fn url(&self) -> String {
        self.access.url()
    }

    /// Where its output goes.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Starts it again when it has ended; what it knew is gone.
    pub async fn again(&mut self) -> Result<()> {
        self.process = launch(&self.program, &self.access, &self.callback, &self.log)?;
        self.until_ready().await
    }

    async fn until_ready(&mut self) -> Result<()> {
        self.process.until_answers(&format!("{}/readyz", self.access.url())).await
    }
}

fn launch(program: &Path, access: &Access, callback: &str, log: &Path) -> Result<Process> {
    let words = [
        program.display().to_string(),
        "sandbox".to_owned(),
        format!("--address=127.0.0.1:{}", access.port),
        format!("--callback={callback}"),
    ];
    // Not among the words, which everybody on the machine can read.
    let secrets =
        [("SANDBOX_KEY", &access.key), ("SANDBOX_SECRET", &access.secret)].map(|(k, v)| (k.to_owned(), v.clone()));
    Process::start("sandbox", words.to_vec(), &secrets, log, Signal::TERM)
}
