//! `./mart timeline`: runs the program that prints it, because this crate has no business rules.

use std::process::ExitCode;

use anyhow::Result;

/// Print the timeline of an order, a trace or an event, and the expected next step.
///
/// The timeline merges requests, commits, records on Kafka, handled events and their retries. For an order it ends with the event
/// that the order is waiting for, and the deadline.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The id of an order or another aggregate, of a trace, or of an event.
    id: String,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<ExitCode> {
    super::run_inspector("timeline", &[&arguments.id]).await
}
