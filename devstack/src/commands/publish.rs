//! `./mart publish`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use devstack::contracts::{self, Published};
use devstack::say;
use devstack::stack::Running;
use prost_reflect::DynamicMessage;
use prost_reflect::prost::Message;
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

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
    let value: serde_json::Value = serde_json::from_str(&arguments.payload).context("the payload is not JSON")?;
    let payload: DynamicMessage = mart_proto::json::read(message, &value)
        .map_err(|wrong| anyhow!("the payload is no {}: {}: {}", arguments.event, wrong.path, wrong.problem))?;
    let key = contracts::text(&payload, &key).unwrap_or_default();
    if key.is_empty() {
        bail!("the payload lacks the member that is the record's key; {} has to be set", arguments.event);
    }
    let trace = uuid::Uuid::new_v4().simple().to_string();
    let id = arguments.id.unwrap_or_else(uuid::Uuid::new_v4);
    let headers = [
        ("ce_specversion", "1.0".to_owned()),
        ("ce_id", id.to_string()),
        ("ce_type", kind),
        ("ce_source", "mart-devstack".to_owned()),
        ("ce_time", OffsetDateTime::now_utc().format(&Rfc3339)?),
        ("ce_version", arguments.aggregate_version.to_string()),
        ("content-type", "application/protobuf".to_owned()),
        ("traceparent", format!("00-{trace}-{}-01", &trace[..16])),
    ];
    let headers = headers
        .iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(value) }));
    devstack::kafka::topics(&running.brokers, std::slice::from_ref(&topic)).await?;
    let producer: FutureProducer = ClientConfig::new().set("bootstrap.servers", &running.brokers).create()?;
    let bytes = payload.encode_to_vec();
    let record = FutureRecord::to(&topic).key(&key).payload(&bytes).headers(headers);
    producer.send(record, Duration::from_secs(20)).await.map_err(|(error, _)| error)?;
    say!("{} {id} is on {topic} under {key}, trace {trace}", arguments.event);
    Ok(ExitCode::SUCCESS)
}
