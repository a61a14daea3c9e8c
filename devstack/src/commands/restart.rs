//! `./mart restart`.

use devstack::outln;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use devstack::service;
use devstack::stack::Running;

/// Build services anew and restart them within a running mart.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The services; all without one.
    services: Vec<String>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let running = Running::read()?;
    let known: Vec<String> = running.services.iter().map(|service| service.name.clone()).collect();
    let names = if arguments.services.is_empty() { known.clone() } else { arguments.services };
    for name in &names {
        ensure!(known.contains(name), "there is no service {name:?}: there are {}", known.join(", "));
    }
    outln!("building {}", names.join(", "));
    service::build(&names).await?;
    for name in &names {
        std::fs::write(super::up::request(name), "")?;
    }
    for name in &names {
        while super::up::request(name).exists() {
            Running::read()?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        outln!("{name} was stopped and started");
    }
    super::status::run().await
}
