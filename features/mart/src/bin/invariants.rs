//! Says whether the mart is as it has to be; `./mart invariants` runs it.

#![allow(clippy::print_stdout, reason = "a tool of the command line")]

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use mart_features::invariants::Mart;

/// Says whether the mart is as it has to be.
#[derive(Parser)]
struct Arguments {
    /// PostgreSQL's superuser, without database.
    #[arg(long)]
    postgres: String,
    /// Kafka's address.
    #[arg(long)]
    brokers: String,
    /// How many seconds of quiet it has to come to that.
    #[arg(long, default_value_t = 10)]
    within: u64,
    /// The services that run; each has a database of its name.
    services: Vec<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { postgres, brokers, within, services } = Arguments::parse();
    let server = postgres.rsplit_once('/').map_or(postgres.as_str(), |(server, _)| server);
    let database = |name: String| {
        let url = format!("{server}/{name}");
        (name, url)
    };
    let databases = services.into_iter().map(database).collect();
    let mart = Mart { databases, brokers, topic_prefix: String::new() };
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
