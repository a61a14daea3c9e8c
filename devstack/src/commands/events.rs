//! `./mart events`.

use devstack::outln;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use devstack::call::{Reader, Seen};
use devstack::contracts;
use devstack::stack::Running;
use rdkafka::Offset;

/// Follow events as they come, decoded by the contracts.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Begin with what is there, not with what comes.
    #[arg(long)]
    from_beginning: bool,
    /// Stop after so many events.
    #[arg(short = 'n', long)]
    count: Option<usize>,
    /// Stop after so many seconds without an event.
    #[arg(long)]
    quiet: Option<u64>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let running = Running::read()?;
    let topics: Vec<String> = contracts::topics().into_iter().collect();
    let from = if arguments.from_beginning { Offset::Beginning } else { Offset::End };
    let reader = Reader::new(&running.brokers, &topics, from)?;
    if arguments.count.is_none() && arguments.quiet.is_none() {
        eprintln!("following {} (Ctrl-C ends it)", topics.join(", "));
    }
    let mut left = arguments.count.unwrap_or(usize::MAX);
    while left > 0 {
        match reader.next(Duration::from_secs(arguments.quiet.unwrap_or(1))) {
            Some(seen) => {
                print(&seen);
                left -= 1;
            }
            None if arguments.quiet.is_some() => break,
            None => {}
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One event: when, what, about what, in which trace, and its payload.
pub(crate) fn print(seen: &Seen) {
    let (time, version) = (seen.header("ce_time"), seen.header("ce_version"));
    outln!("{time} {} {} version {version} trace {}", seen.name(), seen.key, seen.trace_id());
    outln!("  {}", contracts::redacted(seen.header("ce_type"), &seen.payload));
}
