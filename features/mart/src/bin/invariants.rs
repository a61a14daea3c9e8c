//! Says whether the mart that runs is as it has to be; `./mart invariants` runs it.

#![allow(clippy::print_stdout, reason = "a tool of the command line")]

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use devstack::stack::Running;
use mart_features::invariants::Mart;

/// Says whether the mart that runs is as it has to be.
#[derive(Parser)]
struct Arguments {
    /// How many seconds of quiet it has to come to that.
    #[arg(long, default_value_t = 10)]
    within: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { within } = Arguments::parse();
    let running = Running::read()?;
    let mart = Mart { databases: running.databases(), brokers: running.brokers, topic_prefix: String::new() };
    let broken = mart.broken_after(Duration::from_secs(within)).await?;
    for broken in &broken {
        println!("broken: {broken}");
    }
    match broken.len() {
        0 => println!("all invariants hold"),
        count => println!("{count} broken after {within} seconds"),
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
