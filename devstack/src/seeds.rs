//! The first goods: `devstack/seeds/<service>.json`, sent through the API when a stack is new.

use crate::say;
use anyhow::{Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::keys::Keys;
use crate::stack::Running;
use crate::{root, state};

#[derive(Deserialize)]
struct Seeds {
    method: String,
    path: String,
    role: String,
    bodies: Vec<Value>,
}

/// Sends the seeds of every service that was not seeded yet. Each has an Idempotency-Key, so an interrupted start goes on
/// where it was.
pub(crate) async fn sow(running: &Running, keys: &Keys) -> Result<()> {
    let client = reqwest::Client::new();
    for service in &running.services {
        let file = root().join(format!("devstack/seeds/{}.json", service.name));
        let marker = state().join(format!("seeded/{}", service.name));
        if marker.exists() || !file.exists() {
            continue;
        }
        let seeds: Seeds = serde_json::from_str(&std::fs::read_to_string(file)?)?;
        let token = keys.token(&seeds.role, "seeds")?;
        for (nth, body) in seeds.bodies.iter().enumerate() {
            let request = client
                .request(seeds.method.parse()?, format!("{}{}", service.url, seeds.path))
                .bearer_auth(&token)
                .header("Idempotency-Key", format!("seed-{nth}"))
                .json(body);
            let answer = request.send().await?;
            // A conflict is a seed that is there: receipts are not kept for ever.
            if !answer.status().is_success() && answer.status() != reqwest::StatusCode::CONFLICT {
                bail!("seed {nth} of {} was refused: {} {}", service.name, answer.status(), answer.text().await?);
            }
        }
        say!("seeded {} with {} entries", service.name, seeds.bodies.len());
        std::fs::create_dir_all(state().join("seeded"))?;
        std::fs::write(marker, "")?;
    }
    Ok(())
}
