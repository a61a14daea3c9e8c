//! Checks the invariants of the running mart; `./mart invariants` runs it.

#![allow(clippy::print_stdout, reason = "a command-line tool")]

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use devstack::running::RunningStack;
use mart_features::invariants::Mart;

/// Check the invariants of the running mart.
#[derive(Parser)]
struct Arguments {
    /// Repeat the check for this number of seconds until all invariants hold, because events may still be in flight.
    #[arg(long, default_value_t = 10)]
    within: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { within } = Arguments::parse();
    let running = RunningStack::read()?;
    let mart = Mart { databases: running.databases(), brokers: running.brokers, topic_prefix: String::new() };
    let violations = mart.violations_after(Duration::from_secs(within)).await?;
    for violation in &violations {
        println!("violation: {violation}");
    }
    match violations.len() {
        0 => println!("all invariants hold"),
        count => println!("{count} violations after {within} seconds"),
    }
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
