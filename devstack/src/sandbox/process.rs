//! The sandbox as a process beside running services.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rustix::process::Signal;

use crate::process::Process;
use crate::secrets::Secrets;

/// The name of the service that uses the sandbox.
pub const PAYMENT: &str = "payment";

/// The port and the secrets that the sandbox and the payment service share.
#[derive(Debug, Clone)]
pub struct Access {
    /// The sandbox's port.
    pub port: u16,
    /// The key of the sandbox's API.
    pub key: String,
    /// The secret that signs webhooks.
    pub secret: String,
}

impl Access {
    /// Returns the access at a port, with secrets that are generated once.
    pub fn new(port: u16, secrets: &Secrets) -> Result<Self> {
        Ok(Self { port, key: secrets.get("sandbox-key")?, secret: secrets.get("sandbox-secret")? })
    }

    /// Returns the sandbox's base URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the environment variables of the payment service.
    pub fn variables(&self) -> [(String, String); 3] {
        [("SANDBOX_URL", self.url()), ("SANDBOX_KEY", self.key.clone()), ("SANDBOX_SECRETS", self.secret.clone())]
            .map(|(name, value)| (name.to_owned(), value))
    }
}

/// A running sandbox.
#[derive(Debug)]
pub struct SandboxProcess {
    program: PathBuf,
    access: Access,
    callback: String,
    log: PathBuf,
    /// The sandbox's process.
    pub process: Process,
}

impl SandboxProcess {
    /// Starts a sandbox that sends its webhooks to the gateway. `program` is the devstack's own program.
    pub async fn start(program: &Path, folder: &Path, access: Access, gateway: &str) -> Result<Self> {
        let callback = format!("{gateway}/v1/payment-webhooks/sandbox");
        let log = folder.join("logs/sandbox.log");
        let process = launch(program, &access, &callback, &log)?;
        let mut sandbox = Self { program: program.to_owned(), access, callback, log, process };
        sandbox.wait_until_ready().await?;
        Ok(sandbox)
    }

    /// Returns the base URL.
    pub fn url(&self) -> String {
        self.access.url()
    }

    /// Returns the path of the log.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Starts the sandbox again after its process has ended. Its checkouts are lost.
    pub async fn restart(&mut self) -> Result<()> {
        self.process = launch(&self.program, &self.access, &self.callback, &self.log)?;
        self.wait_until_ready().await
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        self.process.wait_until_available(&format!("{}/readyz", self.access.url())).await
    }
}

fn launch(program: &Path, access: &Access, callback: &str, log: &Path) -> Result<Process> {
    let words = [
        program.display().to_string(),
        "sandbox".to_owned(),
        format!("--address=127.0.0.1:{}", access.port),
        format!("--callback={callback}"),
    ];
    // Passed in the environment, because other users can read a command line.
    let secrets =
        [("SANDBOX_KEY", &access.key), ("SANDBOX_SECRET", &access.secret)].map(|(k, v)| (k.to_owned(), v.clone()));
    Process::start("sandbox", words.to_vec(), &secrets, log, Signal::TERM)
}
