//! `./mart timeline`: runs the program that tells it; the devstack itself knows no word of the business.

use std::process::ExitCode;

use anyhow::Result;

/// Tell what happened about an order, in a trace or around an event, and what comes next.
///
/// One timeline over requests, commits, Kafka, handlers and their retries; at the end what the order waits for, and until
/// when.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The id of an order or another aggregate, of a trace, or of an event.
    id: String,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<ExitCode> {
    super::of_the_mart("timeline", &[&arguments.id]).await
}
