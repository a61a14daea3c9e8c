//! `./mart dlq`.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use devstack::running::{RunningService, RunningStack};
use devstack::{contracts, outln};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

/// List, show, replay or discard dead letters: events that a handler has given up on.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// List the dead letters of all services or of one, oldest first.
    List {
        /// The service.
        service: Option<String>,
    },
    /// Show a dead letter with its whole record.
    Show {
        /// The service.
        service: String,
        /// The dead letter's id.
        id: i64,
    },
    /// Process a dead letter, or all of a service, again. It is safe to repeat: an event takes effect once.
    Replay {
        /// The service.
        service: String,
        /// The dead letter's id.
        #[arg(required_unless_present = "all")]
        id: Option<i64>,
        /// Replay every dead letter of the service.
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
    /// Delete a dead letter; its event will never be processed.
    Discard {
        /// The service.
        service: String,
        /// The dead letter's id.
        id: i64,
    },
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let running = RunningStack::read()?;
    let client = devstack::http::client();
    match arguments.command {
        Command::List { service } => {
            let chosen: Vec<&RunningService> = match &service {
                Some(name) => vec![named(&running, name)?],
                None => running.services.iter().collect(),
            };
            let mut count = 0;
            for service in chosen {
                for letter in letters(&client, service).await? {
                    count += 1;
                    let text = |member: &str| letter[member].as_str().unwrap_or("?").to_owned();
                    let event_type = text("eventType");
                    let event = event_type.rsplit('.').next().unwrap_or_default();
                    outln!("{} {} {event} {} since {}", service.name, letter["id"], text("key"), text("deadAt"));
                    outln!("  {}: {}", text("handler"), text("reason"));
                }
            }
            outln!("{count} dead letters");
        }
        Command::Show { service, id } => {
            let service = named(&running, &service)?;
            let url = format!("{}/dead-letters/{id}", service.internal_url);
            let response = client.get(url).send().await?;
            if response.status() == StatusCode::NOT_FOUND {
                bail!("{0} has no dead letter {id}: list them with ./mart dlq list {0}", service.name);
            }
            let mut letter: Value = response.error_for_status()?.json().await?;
            if letter["eventType"].as_str().is_some_and(contracts::has_secret) {
                letter["record"]["payload"] = Value::from("(not shown: contains a secret)");
            }
            outln!("{}", serde_json::to_string_pretty(&letter)?);
        }
        Command::Replay { service, id, all: _ } => {
            let service = named(&running, &service)?;
            let ids = match id {
                Some(id) => vec![id],
                None => letters(&client, service).await?.iter().filter_map(|letter| letter["id"].as_i64()).collect(),
            };
            for id in &ids {
                act(&client, service, Method::POST, *id, "/replay", "will be processed again").await?;
            }
            outln!("{} dead letters of {}", ids.len(), service.name);
        }
        Command::Discard { service, id } => {
            act(&client, named(&running, &service)?, Method::DELETE, id, "", "is discarded").await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn named<'a>(running: &'a RunningStack, name: &str) -> Result<&'a RunningService> {
    let known = || running.services.iter().map(|service| service.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = running.services.iter().find(|service| service.name == name);
    found.with_context(|| format!("unknown service {name:?}: use one of {}", known()))
}

/// Returns all dead letters of a service. Reads them page by page.
async fn letters(client: &Client, service: &RunningService) -> Result<Vec<Value>> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let url = format!("{}/dead-letters?after={after}", service.internal_url);
        let response = client.get(url).send().await;
        let response = response.with_context(|| format!("{} does not respond", service.name))?;
        let page: Value = response.error_for_status()?.json().await?;
        all.extend(page["deadLetters"].as_array().cloned().unwrap_or_default());
        match page["nextAfter"].as_i64() {
            Some(next) => after = next,
            None => return Ok(all),
        }
    }
}

/// Replays or discards a dead letter and prints `outcome`. A missing one is not an error, so that the command can be repeated.
async fn act(
    client: &Client,
    service: &RunningService,
    method: Method,
    id: i64,
    path: &str,
    outcome: &str,
) -> Result<()> {
    let url = format!("{}/dead-letters/{id}{path}", service.internal_url);
    let response = client.request(method, url).send().await?;
    if response.status() == StatusCode::NOT_FOUND {
        outln!("{} {id}: no such dead letter (already replayed or discarded)", service.name);
        return Ok(());
    }
    response.error_for_status()?;
    outln!("{} {id} {outcome}", service.name);
    Ok(())
}
