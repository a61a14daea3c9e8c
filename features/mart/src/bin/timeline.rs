//! Prints the timeline of an order, a trace or an event, and the expected next step; `./mart timeline` runs it.

#![allow(clippy::print_stdout, reason = "a command-line tool")]

use clap::Parser;
use devstack::running::RunningStack;
use devstack::timeline::Sources;

/// Print the timeline of an order, a trace or an event, and the expected next step.
#[derive(Parser)]
struct Arguments {
    /// The id of an order or another aggregate, of a trace, or of an event.
    id: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Arguments { id } = Arguments::parse();
    let running = RunningStack::read()?;
    let databases = running.databases();
    let log = |name: &String| (name.clone(), devstack::state().join(format!("logs/{name}.log")));
    let logs = databases.keys().map(log).collect();
    let sources = Sources { databases, logs, brokers: running.brokers, topic_prefix: String::new() };
    let timeline = sources.timeline(&id).await?;
    for event in &timeline.events {
        println!("{event}");
    }
    if let Some(orders) = sources.databases.get("order") {
        for key in &timeline.keys {
            if let Some(next) = mart_features::timeline::next(orders, key).await? {
                println!("{next}");
            }
        }
    }
    Ok(())
}
