//! `./mart invariants`: builds and runs the program that knows them; the devstack itself knows no word of the business.

use std::process::ExitCode;

use anyhow::Result;
use devstack::stack::Running;
use devstack::{process, root};
use tokio::process::Command;

/// Say whether money, stock and orders agree, over all databases and topics.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many seconds of quiet they have to come to agree.
    #[arg(long, default_value_t = 10)]
    within: u64,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<ExitCode> {
    // Before anything is built for nothing.
    Running::read()?;
    let mut command = Command::new("cargo");
    command.current_dir(root()).args(["run", "--quiet", "--package", "mart-features", "--bin", "invariants", "--"]);
    command.args(["--within", &arguments.within.to_string()]);
    let passed = process::show(&mut command).await?.success();
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
