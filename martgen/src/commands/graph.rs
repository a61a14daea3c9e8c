//! Drawing the flow of events.

use anyhow::Result;
use serde_json::json;

use super::{Contracts, tell};
use crate::cli::{Form, Graph};
use crate::contract::model::Mart;
use crate::failure::CLEAN;
use crate::tree::Tree;

pub(super) fn run(tree: &Tree, arguments: &Graph) -> Result<u8> {
    let contracts = Contracts::read(tree)?;
    if contracts.broken() {
        return Ok(tell(&contracts.findings, &contracts.sources, false, true));
    }
    let text = match arguments.format {
        Form::Mermaid => mermaid(&contracts.mart),
        Form::Dot => dot(&contracts.mart),
        Form::Json => json(&contracts.mart),
    };
    anstream::print!("{text}");
    Ok(CLEAN)
}

/// Every event with its publisher and the one who reacts, or nobody.
fn edges(mart: &Mart) -> Vec<(&str, &str, Option<&str>)> {
    let mut edges = Vec::new();
    for service in &mart.services {
        for event in &service.events {
            let before = edges.len();
            for other in &mart.services {
                for _ in other.consumes.iter().filter(|consumed| consumed.event.full_name == event.full_name) {
                    edges.push((service.name.as_str(), event.name.as_str(), Some(other.name.as_str())));
                }
            }
            if edges.len() == before {
                edges.push((service.name.as_str(), event.name.as_str(), None));
            }
        }
    }
    edges
}

fn mermaid(mart: &Mart) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for service in &mart.services {
        text.push_str(&format!("  {0}[{0}]\n", service.name));
    }
    for (from, event, to) in edges(mart) {
        match to {
            Some(to) => text.push_str(&format!("  {from} -- {event} --> {to}\n")),
            None => text.push_str(&format!("  {from} -- {event} --> nobody((nobody yet))\n")),
        }
    }
    text
}

fn dot(mart: &Mart) -> String {
    let mut text = "digraph mart {\n  rankdir=LR;\n".to_owned();
    for service in &mart.services {
        text.push_str(&format!("  \"{}\" [shape=box];\n", service.name));
    }
    for (from, event, to) in edges(mart) {
        text.push_str(&format!("  \"{from}\" -> \"{}\" [label=\"{event}\"];\n", to.unwrap_or("nobody yet")));
    }
    text + "}\n"
}

fn json(mart: &Mart) -> String {
    let services = mart.services.iter().map(|service| {
        let events = service.events.iter().map(|event| json!({ "event": event.full_name, "topic": event.topic }));
        let consumes =
            service.consumes.iter().map(|one| json!({ "event": one.event.full_name, "handler": one.handler }));
        json!({
            "service": service.name,
            "publishes": events.collect::<Vec<_>>(),
            "consumes": consumes.collect::<Vec<_>>(),
        })
    });
    format!("{:#}\n", json!({ "services": services.collect::<Vec<_>>() }))
}
