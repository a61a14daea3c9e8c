//! Tells what happened about an order, in a trace or around an event, and what comes next; `./mart timeline` runs it.

#![allow(clippy::print_stdout, reason = "a tool of the command line")]

use clap::Parser;
use devstack::stack::Running;
use devstack::timeline::Sources;

/// Tells what happened about an order, in a trace or around an event, and what comes next.
#[derive(Parser)]
struct Arguments {
    /// The id of an order or another aggregate, of a trace, or of an event.
    id: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Arguments { id } = Arguments::parse();
    let running = Running::read()?;
    let databases = running.databases();
    let log = |name: &String| (name.clone(), devstack::state().join(format!("logs/{name}.log")));
    let logs = databases.keys().map(log).collect();
    let sources = Sources { databases, logs, brokers: running.brokers, topic_prefix: String::new() };
    let timeline = sources.timeline(&id).await?;
    for moment in &timeline.moments {
        println!("{moment}");
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
