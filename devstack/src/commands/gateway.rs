//! `./mart gateway`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use devstack::{gateway, outln};

/// Serve a declarative file of Kong on this machine.
///
/// The gateway responds as Kong 3.9 does, and rejects a file that uses anything that it does not implement. It is for development
/// only: do not expose it to others.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The declarative file.
    file: PathBuf,
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:8000")]
    address: SocketAddr,
    /// The address of metrics and readiness.
    #[arg(long, default_value = "127.0.0.1:8100")]
    status: SocketAddr,
    /// Only check whether the file can be served.
    #[arg(long)]
    check: bool,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.check {
        gateway::Gateway::open(&arguments.file)?;
        outln!("{} is valid", arguments.file.display());
        return Ok(ExitCode::SUCCESS);
    }
    let _guard = super::log_to_stdout();
    gateway::serve(&arguments.file, arguments.address, arguments.status).await?;
    Ok(ExitCode::SUCCESS)
}
