//! `./mart events`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use devstack::call::{KafkaEvent, Reader};
use devstack::running::RunningStack;
use devstack::{contracts, outln};
use rdkafka::Offset;

/// Follow the events on Kafka, decoded by their contracts.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Start with the oldest event instead of the next one.
    #[arg(long)]
    from_beginning: bool,
    /// Stop after this number of events.
    #[arg(short = 'n', long)]
    count: Option<usize>,
    /// Stop after this number of seconds without an event.
    #[arg(long, value_name = "SECONDS")]
    quiet: Option<u64>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let running = RunningStack::read()?;
    let topics: Vec<String> = contracts::topics().into_iter().collect();
    let from = if arguments.from_beginning { Offset::Beginning } else { Offset::End };
    let reader = Reader::new(&running.brokers, &topics, from)?;
    if arguments.count.is_none() && arguments.quiet.is_none() {
        eprintln!("following {} (Ctrl-C to stop)", topics.join(", "));
    }
    let mut left = arguments.count.unwrap_or(usize::MAX);
    while left > 0 {
        match reader.next(Duration::from_secs(arguments.quiet.unwrap_or(1))) {
            Some(event) => {
                print(&event);
                left -= 1;
            }
            None if arguments.quiet.is_some() => break,
            None => {}
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints an event: its time, name, key, version and trace, then its payload.
pub(crate) fn print(event: &KafkaEvent) {
    let (time, version) = (event.header("ce_time"), event.header("ce_version"));
    outln!("{time} {} {} version {version} trace {}", event.name(), event.key, event.trace_id());
    outln!("  {}", contracts::redacted(event.header("ce_type"), &event.payload));
}
