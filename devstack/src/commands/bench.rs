//! `./mart bench`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use devstack::{process, root, service};
use tokio::process::Command;

/// Run the benchmarks with release builds and print the ratios.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run everything once, for a second, with debug builds: shows that it works, measures nothing.
    #[arg(long)]
    smoke: bool,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let programs = service::programs(!arguments.smoke, &["bench".to_owned()]).await?;
    let program = programs.get("bench").context("the workspace has no program \"bench\"")?;
    let mut command = Command::new(program);
    if arguments.smoke {
        command.arg("--smoke");
    }
    let mut passed = process::show(&mut command).await?.success();
    let mut martgen = Command::new("python3");
    martgen.arg("bench/martgen.py").args(arguments.smoke.then_some("--smoke")).current_dir(root());
    passed &= process::show(&mut martgen).await?.success();
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
