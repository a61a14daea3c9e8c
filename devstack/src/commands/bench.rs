//! `./mart bench`.

use std::process::ExitCode;

use anyhow::{Result, bail};

/// Measure with release builds and print the ratios.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// One second per round instead of the full time: shows that everything runs, measures nothing.
    #[arg(long)]
    smoke: bool,
}

pub(crate) async fn run(_arguments: &Arguments) -> Result<ExitCode> {
    bail!("not yet")
}
