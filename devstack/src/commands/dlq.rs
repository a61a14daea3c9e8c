//! `./mart dlq`.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use devstack::stack::{Running, RunningService};
use devstack::{contracts, outln};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

/// Look at dead letters, hand them out again, or throw them away.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// List the dead letters of all services, or of one, oldest first.
    List {
        /// The service.
        service: Option<String>,
    },
    /// Show one with its record, to the byte.
    Show {
        /// The service.
        service: String,
        /// The letter's id.
        id: i64,
    },
    /// Hand one out again, or all of a service; safe to repeat, since every event has its effect once.
    Replay {
        /// The service.
        service: String,
        /// The letter's id.
        #[arg(required_unless_present = "all")]
        id: Option<i64>,
        /// Every dead letter of the service.
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
    /// Throw one away for good.
    Discard {
        /// The service.
        service: String,
        /// The letter's id.
        id: i64,
    },
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let running = Running::read()?;
    let client = devstack::http::client();
    match arguments.what {
        What::List { service } => {
            let chosen: Vec<&RunningService> = match &service {
                Some(name) => vec![named(&running, name)?],
                None => running.services.iter().collect(),
            };
            let mut count = 0;
            for service in chosen {
                for letter in letters(&client, service).await? {
                    count += 1;
                    let text = |member: &str| letter[member].as_str().unwrap_or("?").to_owned();
                    let kind = text("eventType");
                    let kind = kind.rsplit('.').next().unwrap_or_default();
                    outln!("{} {} {kind} {} since {}", service.name, letter["id"], text("key"), text("deadAt"));
                    outln!("  {}: {}", text("handler"), text("reason"));
                }
            }
            outln!("{count} dead letters");
        }
        What::Show { service, id } => {
            let service = named(&running, &service)?;
            let url = format!("{}/dead-letters/{id}", service.internal_url);
            let answer = client.get(url).send().await?;
            if answer.status() == StatusCode::NOT_FOUND {
                bail!("{} has no dead letter {id}: ./mart dlq list {}", service.name, service.name);
            }
            let mut letter: Value = answer.error_for_status()?.json().await?;
            if letter["eventType"].as_str().is_some_and(contracts::has_secret) {
                letter["record"]["payload"] = Value::from("(not shown: it has a secret in it)");
            }
            outln!("{}", serde_json::to_string_pretty(&letter)?);
        }
        What::Replay { service, id, all: _ } => {
            let service = named(&running, &service)?;
            let ids = match id {
                Some(id) => vec![id],
                None => letters(&client, service).await?.iter().filter_map(|letter| letter["id"].as_i64()).collect(),
            };
            for id in &ids {
                act(&client, service, Method::POST, *id, "/replay", "is handed out again").await?;
            }
            outln!("{} of {}", ids.len(), service.name);
        }
        What::Discard { service, id } => {
            act(&client, named(&running, &service)?, Method::DELETE, id, "", "is thrown away").await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn named<'a>(running: &'a Running, name: &str) -> Result<&'a RunningService> {
    let known = || running.services.iter().map(|service| service.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = running.services.iter().find(|service| service.name == name);
    found.with_context(|| format!("there is no service {name:?}: use one of {}", known()))
}

/// All dead letters of a service, page by page.
async fn letters(client: &Client, service: &RunningService) -> Result<Vec<Value>> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let url = format!("{}/dead-letters?after={after}", service.internal_url);
        let answer = client.get(url).send().await.with_context(|| format!("{} does not answer", service.name))?;
        let page: Value = answer.error_for_status()?.json().await?;
        all.extend(page["deadLetters"].as_array().cloned().unwrap_or_default());
        match page["nextAfter"].as_i64() {
            Some(next) => after = next,
            None => return Ok(all),
        }
    }
}

/// Does something to a letter; one that is not there any more is no failure, so that a repeat is safe.
async fn act(client: &Client, service: &RunningService, method: Method, id: i64, path: &str, done: &str) -> Result<()> {
    let url = format!("{}/dead-letters/{id}{path}", service.internal_url);
    let answer = client.request(method, url).send().await?;
    if answer.status() == StatusCode::NOT_FOUND {
        outln!("{} {id} is not among the dead (any more): nothing to do", service.name);
        return Ok(());
    }
    answer.error_for_status()?;
    outln!("{} {id} {done}", service.name);
    Ok(())
}
