//! The peer: the same endpoint in Python (`bench/peer`), on order's database.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use devstack::process::{self, Process};
use devstack::service::ServiceSpec;
use devstack::{ports, root, state};
use rustix::process::Signal;
use tokio::process::Command;

use crate::Scale;

/// A running peer.
pub(crate) struct Peer {
    pub(crate) port: u16,
    pub(crate) process: Process,
}

impl Peer {
    /// Starts the peer on the database of an order service, with one worker per core and as many connections in total as order has.
    pub(crate) async fn start(spec: &ServiceSpec, scale: Scale) -> Result<Self> {
        let python = install().await?;
        let (port, workers) = (ports::any()?, std::thread::available_parallelism().map_or(1, usize::from));
        let pool = scale.connections.div_ceil(workers).to_string();
        let words = [
            python.display().to_string(),
            "-m".to_owned(),
            "uvicorn".to_owned(),
            "app:app".to_owned(),
            format!("--app-dir={}", root().join("bench/peer").display()),
            format!("--port={port}"),
            format!("--workers={workers}"),
            "--loop=uvloop".to_owned(),
            "--http=httptools".to_owned(),
            "--no-access-log".to_owned(),
            "--log-level=warning".to_owned(),
        ];
        let mut env = spec.env(&spec.database.app);
        env.push(("PEER_DATABASE_URL".to_owned(), spec.database.app.clone()));
        env.push(("PEER_POOL".to_owned(), pool));
        env.push(("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned()));
        let log = spec.log.with_file_name("peer.log");
        let mut process = Process::start("peer", words.to_vec(), &env, &log, Signal::TERM)?;
        let url = format!("http://127.0.0.1:{port}/readyz");
        let ready = || async {
            devstack::http::client().get(&url).send().await.is_ok_and(|response| response.status().is_success())
        };
        process.wait_until(Duration::from_secs(30), ready).await?;
        Ok(Self { port, process })
    }
}

/// Returns the Python of a virtual environment with the peer's requirements. It is created again when they change.
async fn install() -> Result<PathBuf> {
    let requirements = root().join("bench/peer/requirements.txt");
    let wanted = std::fs::read_to_string(&requirements)?;
    let folder = state().join("parts/peer");
    let (python, installed) = (folder.join("bin/python"), folder.join("requirements.txt"));
    if std::fs::read_to_string(&installed).is_ok_and(|known| known == wanted) {
        return Ok(python);
    }
    println!("installing FastAPI and SQLModel into {}", folder.display());
    process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder)).await?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(&requirements);
    process::run(&mut pip).await.context("cannot install bench/peer/requirements.txt")?;
    std::fs::write(installed, wanted)?;
    Ok(python)
}
