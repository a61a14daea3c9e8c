//! `./mart publish`.

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use devstack::contracts::{self, Published};
use devstack::outln;
use devstack::publisher::{TestEvent, publish};
use devstack::stack::Running;
use prost_reflect::DynamicMessage;
use prost_reflect::prost::Message;

/// Put an event onto Kafka as its owner would: for development, where the owner does not exist yet.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The event, such as payment.PaymentCaptured
    event: String,
    /// Its payload, JSON.
    payload: String,
    /// The version of the aggregate that it is about.
    #[arg(long, default_value_t = 1)]
    aggregate_version: u32,
    /// The event's id, a UUID, to tell the same event again.
    #[arg(long)]
    id: Option<uuid::Uuid>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let running = Running::read()?;
    let Published { message, topic, key } = contracts::published(&arguments.event)
        .with_context(|| format!("there is no event {:?}: see docs/api/asyncapi.json", arguments.event))?;
    let kind = message.full_name().to_owned();
    let payload: DynamicMessage = mart_proto::json::parse(arguments.payload.as_bytes())
        .and_then(|value| mart_proto::json::read(message, &value))
        .map_err(|wrong| anyhow!("the payload is no {}: {}: {}", arguments.event, wrong.path, wrong.problem))?;
    let key = mart_proto::text(&payload, &key).unwrap_or_default();
    if key.is_empty() {
        bail!("the payload lacks the member that is the record's key; {} has to be set", arguments.event);
    }
    let told = TestEvent::new(&topic, &kind, payload.encode_to_vec()).about(&key, arguments.aggregate_version.into());
    let told = arguments.id.into_iter().fold(told, TestEvent::under);
    devstack::kafka::topics(&running.brokers, std::slice::from_ref(&topic)).await?;
    publish(&running.brokers, "", std::slice::from_ref(&told)).await?;
    outln!("{} {} is on {topic} under {key}, trace {}", arguments.event, told.id(), told.trace_id());
    Ok(ExitCode::SUCCESS)
}
