//! The demo data, `devstack/demo_data/<service>.json`: requests that a new stack sends to its API.

use std::time::{Duration, Instant};

use crate::outln;
use anyhow::{Context, Result, bail};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::running::RunningStack;
use crate::{demo_users, root, state};

/// How long to wait until a service has received the events of the resources that the data refers to.
const TIMEOUT: Duration = Duration::from_mins(5);

/// The requests of a file. They differ in their bodies only.
#[derive(Deserialize)]
struct Requests {
    method: String,
    /// The path. `{id}` is replaced by the id of each resource of `each`.
    path: String,
    role: String,
    #[serde(default)]
    each: Option<Each>,
    bodies: Vec<Value>,
}

/// The resources of another service. All bodies are sent for each of them.
#[derive(Deserialize)]
struct Each {
    service: String,
    /// The path of the list operation.
    list: String,
    /// The response's member with the resources.
    of: String,
    /// The resource's member with its id.
    id: String,
}

/// Loads the demo data of every service that has none yet. Data that refers to another service's resources comes last. Each
/// request has an Idempotency-Key, so that an interrupted start can be continued.
pub(crate) async fn load(running: &RunningStack) -> Result<()> {
    let client = crate::http::client();
    let mut all = Vec::new();
    for service in &running.services {
        let file = root().join(format!("devstack/demo_data/{}.json", service.name));
        let marker = state().join(format!("demo-data/{}", service.name));
        if marker.exists() || !file.exists() {
            continue;
        }
        let text = std::fs::read_to_string(&file)?;
        let data: Requests = serde_json::from_str(&text).with_context(|| format!("{} is invalid", file.display()))?;
        all.push((service, data, marker));
    }
    all.sort_by_key(|(_, data, _)| data.each.is_some());
    for (service, data, marker) in all {
        let token = demo_users::log_in(running, &data.role).await?;
        let ids = match &data.each {
            Some(each) => ids(&client, running, each, &token).await?,
            None => vec![String::new()],
        };
        for id in &ids {
            let url = format!("{}{}", running.gateway, data.path.replace("{id}", id));
            for (nth, body) in data.bodies.iter().enumerate() {
                let key = if id.is_empty() { format!("demo-{nth}") } else { format!("demo-{id}-{nth}") };
                let send = || {
                    let request = client.request(data.method.parse().unwrap_or_default(), &url);
                    request.bearer_auth(&token).header("Idempotency-Key", &key).json(body).send()
                };
                let (begun, mut response) = (Instant::now(), send().await?);
                while data.each.is_some() && response.status() == StatusCode::NOT_FOUND && begun.elapsed() < TIMEOUT {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    response = send().await?;
                }
                // A conflict means that the resource exists already and that the receipt of its request was purged.
                let status = response.status();
                if !status.is_success() && status != StatusCode::CONFLICT {
                    let body = response.text().await?;
                    bail!("cannot load the demo data of {}: request {key} failed: {status} {body}", service.name);
                }
            }
        }
        outln!("loaded demo data: {}, {} entries", service.name, ids.len() * data.bodies.len());
        std::fs::create_dir_all(state().join("demo-data"))?;
        std::fs::write(marker, "")?;
    }
    Ok(())
}

/// Returns the ids of the resources that the data refers to; none if their service is not running.
async fn ids(client: &Client, running: &RunningStack, each: &Each, token: &str) -> Result<Vec<String>> {
    if !running.services.iter().any(|service| service.name == each.service) {
        return Ok(Vec::new());
    }
    let response = client.get(format!("{}{}", running.gateway, each.list)).bearer_auth(token).send().await?;
    let listed: Value = response.error_for_status()?.json().await?;
    let items = listed[&each.of].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(items.iter().filter_map(|item| item[&each.id].as_str().map(str::to_owned)).collect())
}
