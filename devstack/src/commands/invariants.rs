//! `./mart invariants`: runs the program that knows them; the devstack itself knows no word of the business.

use std::process::ExitCode;

use anyhow::Result;

/// Say whether money, stock and orders agree, over all databases and topics.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many seconds of quiet they have to come to agree.
    #[arg(long, default_value_t = 10)]
    within: u64,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<ExitCode> {
    super::of_the_mart("invariants", &["--within", &arguments.within.to_string()]).await
}
