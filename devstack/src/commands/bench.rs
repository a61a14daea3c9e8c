//! `./mart bench`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use devstack::{process, service};
use tokio::process::Command;

/// Measure with release builds and print the ratios.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// One short pair with debug builds: shows that everything runs, measures nothing.
    #[arg(long)]
    smoke: bool,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let programs = service::programs(!arguments.smoke).await?;
    let program = programs.get("bench").context("the bench was built")?;
    let mut command = Command::new(program);
    if arguments.smoke {
        command.arg("--smoke");
    }
    let passed = process::show(&mut command).await?.success();
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
