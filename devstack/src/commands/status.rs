//! `./mart status`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use devstack::outln;
use devstack::running::{RunningService, RunningStack};
use futures::future::join_all;
use reqwest::Client;

/// The timeout of each request.
const TIMEOUT: Duration = Duration::from_secs(3);

pub(crate) async fn run() -> Result<ExitCode> {
    let running = RunningStack::read()?;
    outln!("running (process {}), Kafka at {}", running.pid, running.brokers);
    let client = devstack::http::builder().timeout(TIMEOUT).build()?;
    // Any response counts: `/` is not a route of the mart.
    let gateway = async { client.get(&running.gateway).send().await.is_ok() };
    let services = join_all(running.services.iter().map(|service| service_status(&client, service)));
    let (gateway, services) = tokio::join!(gateway, services);
    outln!("  {:<12} {:<10} {}", "gateway", if gateway { "ready" } else { "down" }, running.gateway);
    let mut all_ready = gateway;
    for (service, (ready, text, outbox)) in running.services.iter().zip(services) {
        all_ready &= ready;
        outln!("  {:<12} {text:<10} {}  outbox {outbox}", service.name, service.url);
    }
    Ok(if all_ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns whether a service is ready, the text of its readiness check, and the state of its outbox.
async fn service_status(client: &Client, service: &RunningService) -> (bool, String, String) {
    let get = async |path: &str| client.get(format!("{}/{path}", service.internal_url)).send().await;
    let (ready, outbox) = tokio::join!(get("readyz"), get("outbox"));
    let (ready, text) = match ready {
        Ok(response) => (response.status().is_success(), response.text().await.unwrap_or_default().trim().to_owned()),
        Err(_) => (false, "no response".to_owned()),
    };
    let outbox = match outbox {
        Ok(response) => response.text().await.unwrap_or_default(),
        Err(_) => String::new(),
    };
    (ready, text, outbox)
}
