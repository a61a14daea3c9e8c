//! `./mart publish`.

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use devstack::contracts::{self, EventContract};
use devstack::outln;
use devstack::publisher::{TestEvent, publish};
use devstack::running::RunningStack;
use prost_reflect::DynamicMessage;
use prost_reflect::prost::Message;

/// Publish an event in place of the service that owns it, for development.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The event, such as payment.PaymentCaptured.
    event: String,
    /// The payload as JSON.
    payload: String,
    /// The aggregate's version after the event.
    #[arg(long, default_value_t = 1)]
    aggregate_version: u32,
    /// The event's id; give the same id to publish a duplicate.
    #[arg(long, value_name = "UUID")]
    id: Option<uuid::Uuid>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let running = RunningStack::read()?;
    let EventContract { message, topic, key: key_path } = contracts::event_contract(&arguments.event)
        .with_context(|| format!("unknown event {:?}: docs/api/asyncapi.json lists all", arguments.event))?;
    let event_type = message.full_name().to_owned();
    let payload: DynamicMessage = mart_proto::json::parse(arguments.payload.as_bytes())
        .and_then(|value| mart_proto::json::read(message, &value))
        .map_err(|error| anyhow!("invalid payload of {}: {}: {}", arguments.event, error.path, error.problem))?;
    let key = mart_proto::text(&payload, &key_path).unwrap_or_default();
    if key.is_empty() {
        bail!("the payload of {} has no {key_path}, which is the record's key", arguments.event);
    }
    let event = TestEvent::new(&topic, &event_type, payload.encode_to_vec());
    let event = event.about(&key, arguments.aggregate_version.into());
    let event = arguments.id.into_iter().fold(event, TestEvent::with_id);
    devstack::kafka::topics(&running.brokers, std::slice::from_ref(&topic)).await?;
    publish(&running.brokers, "", std::slice::from_ref(&event)).await?;
    outln!("published {} {} to {topic}, key {key}, trace {}", arguments.event, event.id(), event.trace_id());
    Ok(ExitCode::SUCCESS)
}
