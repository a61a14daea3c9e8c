//! `./mart status`.

use devstack::say;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use devstack::stack::Running;

pub(crate) async fn run() -> Result<ExitCode> {
    let running = Running::read()?;
    say!("running (process {}), Kafka at {}", running.pid, running.brokers);
    let client = reqwest::Client::new();
    // Whatever it answers: no path of the mart is asked for.
    let mut all = client.get(&running.gateway).timeout(Duration::from_secs(3)).send().await.is_ok();
    say!("  {:<12} {:<10} {}", "gateway", if all { "ready" } else { "down" }, running.gateway);
    for service in &running.services {
        let asked = client.get(format!("{}/readyz", service.internal_url)).timeout(Duration::from_secs(3)).send().await;
        let (ready, told) = match asked {
            Ok(answer) => (answer.status().is_success(), answer.text().await.unwrap_or_default().trim().to_owned()),
            Err(_) => (false, "does not answer".to_owned()),
        };
        let outbox =
            client.get(format!("{}/outbox", service.internal_url)).timeout(Duration::from_secs(3)).send().await;
        let outbox = match outbox {
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        };
        all &= ready;
        say!("  {:<12} {:<10} {}  outbox {outbox}", service.name, told, service.url);
    }
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
