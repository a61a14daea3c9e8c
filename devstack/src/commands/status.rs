//! `./mart status`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use devstack::outln;
use devstack::stack::{Running, RunningService};
use futures::future::join_all;
use reqwest::Client;

/// How long something may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) async fn run() -> Result<ExitCode> {
    let running = Running::read()?;
    outln!("running (process {}), Kafka at {}", running.pid, running.brokers);
    // Nothing here goes further than this machine: no certificates have to be read.
    let client = devstack::http::builder().timeout(PATIENCE).build()?;
    // Whatever it answers: no path of the mart is asked for.
    let gateway = async { client.get(&running.gateway).send().await.is_ok() };
    let services = join_all(running.services.iter().map(|service| of(&client, service)));
    let (gateway, services) = tokio::join!(gateway, services);
    outln!("  {:<12} {:<10} {}", "gateway", if gateway { "ready" } else { "down" }, running.gateway);
    let mut all = gateway;
    for (service, (ready, told, outbox)) in running.services.iter().zip(services) {
        all &= ready;
        outln!("  {:<12} {told:<10} {}  outbox {outbox}", service.name, service.url);
    }
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether a service is ready, what it says of that, and what its outbox holds.
async fn of(client: &Client, service: &RunningService) -> (bool, String, String) {
    let ask = async |path: &str| client.get(format!("{}/{path}", service.internal_url)).send().await;
    let (ready, outbox) = tokio::join!(ask("readyz"), ask("outbox"));
    let (ready, told) = match ready {
        Ok(answer) => (answer.status().is_success(), answer.text().await.unwrap_or_default().trim().to_owned()),
        Err(_) => (false, "does not answer".to_owned()),
    };
    let outbox = match outbox {
        Ok(answer) => answer.text().await.unwrap_or_default(),
        Err(_) => String::new(),
    };
    (ready, told, outbox)
}
