//! `./mart gateway`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use devstack::{gateway, outln};

/// Serve Kong's declarative file on this machine. It answers as Kong 3.9 does and refuses what it does not implement. It is for
/// one developer's machine: nothing that others reach should stand behind it.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The file.
    file: PathBuf,
    /// Where to serve.
    #[arg(long, default_value = "127.0.0.1:8000")]
    address: SocketAddr,
    /// Where to serve metrics and readiness.
    #[arg(long, default_value = "127.0.0.1:8100")]
    status: SocketAddr,
    /// Only say whether the file can be used.
    #[arg(long)]
    check: bool,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.check {
        gateway::Gateway::open(&arguments.file)?;
        outln!("{} can be used", arguments.file.display());
        return Ok(ExitCode::SUCCESS);
    }
    let _lines = super::log_lines();
    gateway::serve(&arguments.file, arguments.address, arguments.status).await?;
    Ok(ExitCode::SUCCESS)
}
