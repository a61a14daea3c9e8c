//! The first goods: `devstack/demo_data/<service>.json`, sent through the API when a stack is new.

use std::time::{Duration, Instant};

use crate::outln;
use anyhow::{Context, Result, bail};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::stack::Running;
use crate::{demo_users, root, state};

/// How long a seed waits for what it builds on, which comes by events.
const PATIENCE: Duration = Duration::from_mins(5);

#[derive(Deserialize)]
struct Seeds {
    method: String,
    /// `{id}` stands for the id of each thing of another service.
    path: String,
    role: String,
    #[serde(default)]
    each: Option<Each>,
    bodies: Vec<Value>,
}

/// Things of another service, for each of which all bodies are sent.
#[derive(Deserialize)]
struct Each {
    service: String,
    list: String,
    of: String,
    id: String,
}

/// Sends the seeds of every service that was not seeded yet: first those that build on nothing. Each has an
/// Idempotency-Key, so an interrupted start goes on where it was.
pub(crate) async fn load(running: &Running) -> Result<()> {
    let client = crate::http::client();
    let mut all = Vec::new();
    for service in &running.services {
        let file = root().join(format!("devstack/demo_data/{}.json", service.name));
        let marker = state().join(format!("seeded/{}", service.name));
        if marker.exists() || !file.exists() {
            continue;
        }
        let text = std::fs::read_to_string(&file)?;
        let seeds: Seeds = serde_json::from_str(&text).with_context(|| format!("{} is wrong", file.display()))?;
        all.push((service, seeds, marker));
    }
    all.sort_by_key(|(_, seeds, _)| seeds.each.is_some());
    for (service, seeds, marker) in all {
        let token = demo_users::log_in(running, &seeds.role).await?;
        let ids = match &seeds.each {
            Some(each) => ids(&client, running, each, &token).await?,
            None => vec![String::new()],
        };
        for id in &ids {
            let url = format!("{}{}", running.gateway, seeds.path.replace("{id}", id));
            for (nth, body) in seeds.bodies.iter().enumerate() {
                let key = if id.is_empty() { format!("seed-{nth}") } else { format!("seed-{id}-{nth}") };
                let send = || {
                    let request = client.request(seeds.method.parse().unwrap_or_default(), &url);
                    request.bearer_auth(&token).header("Idempotency-Key", &key).json(body).send()
                };
                let (begun, mut answer) = (Instant::now(), send().await?);
                while seeds.each.is_some() && answer.status() == StatusCode::NOT_FOUND && begun.elapsed() < PATIENCE {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    answer = send().await?;
                }
                // A conflict is a seed that is there: receipts are not kept for ever.
                if !answer.status().is_success() && answer.status() != StatusCode::CONFLICT {
                    bail!("seed {key} of {} was refused: {} {}", service.name, answer.status(), answer.text().await?);
                }
            }
        }
        outln!("seeded {} with {} entries", service.name, ids.len() * seeds.bodies.len());
        std::fs::create_dir_all(state().join("seeded"))?;
        std::fs::write(marker, "")?;
    }
    Ok(())
}

/// The ids of the things that seeds are sent for; none where their service does not run.
async fn ids(client: &Client, running: &Running, each: &Each, token: &str) -> Result<Vec<String>> {
    if !running.services.iter().any(|service| service.name == each.service) {
        return Ok(Vec::new());
    }
    let answer = client.get(format!("{}{}", running.gateway, each.list)).bearer_auth(token).send().await?;
    let listed: Value = answer.error_for_status()?.json().await?;
    let items = listed[&each.of].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(items.iter().filter_map(|item| item[&each.id].as_str().map(str::to_owned)).collect())
}
