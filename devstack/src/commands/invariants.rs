//! `./mart invariants`: runs the program that checks them, because this crate has no business rules.

use std::process::ExitCode;

use anyhow::Result;

/// Check that money, stock and orders agree in all databases and topics.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Repeat the check for this number of seconds until all invariants hold, because events may still be in flight.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    within: u64,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<ExitCode> {
    super::run_inspector("invariants", &["--within", &arguments.within.to_string()]).await
}
