//! `./mart restart`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use devstack::running::RunningStack;
use devstack::{outln, service};

/// Rebuild services and restart them in the running mart.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The services; all services if none is given.
    services: Vec<String>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let running = RunningStack::read()?;
    let known: Vec<String> = running.services.iter().map(|service| service.name.clone()).collect();
    let names = if arguments.services.is_empty() { known.clone() } else { arguments.services };
    for name in &names {
        ensure!(known.contains(name), "unknown service {name:?}: use one of {}", known.join(", "));
    }
    outln!("building {}", names.join(", "));
    service::build(&names).await?;
    for name in &names {
        std::fs::write(super::up::restart_request(name), "")?;
    }
    for name in &names {
        while super::up::restart_request(name).exists() {
            RunningStack::read()?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        outln!("restarted {name}");
    }
    super::status::run().await
}
