//! `graph`: prints the graph of services and events.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::json;

use super::pipeline::Contracts;
use crate::cli::{Form, Graph};
use crate::contract::model::{Mart, Service};
use crate::failure::CLEAN;
use crate::tree::Tree;

pub(super) fn run(tree: &Tree, arguments: &Graph) -> Result<u8> {
    let contracts = match Contracts::checked(tree, false)? {
        Ok(contracts) => contracts,
        Err(code) => return Ok(code),
    };
    let text = match arguments.format {
        Form::Mermaid => mermaid(&contracts.mart),
        Form::Dot => dot(&contracts.mart),
        Form::Json => json(&contracts.mart),
    };
    anstream::print!("{text}");
    Ok(CLEAN)
}

/// A publisher, the subscriber if there is one, and the events between them.
type Edge<'a> = ((&'a str, Option<&'a str>), Vec<&'a str>);

/// Returns the services that the graph shows. Fixtures of tests are not among them.
fn services(mart: &Mart) -> impl Iterator<Item = &Service> {
    mart.services.iter().filter(|service| service.home.as_ref().is_none_or(|home| home.is_deployable))
}

/// Returns the edges of the graph, ordered by publisher, then by subscriber.
fn edges(mart: &Mart) -> Vec<Edge<'_>> {
    let mut edges: BTreeMap<(&str, Option<&str>), Vec<&str>> = BTreeMap::new();
    for service in services(mart) {
        for event in &service.events {
            let subscribed = |other: &&Service| other.consumes.iter().any(|one| one.event.full_name == event.full_name);
            let mut subscribers: Vec<_> =
                services(mart).filter(subscribed).map(|other| Some(other.name.as_str())).collect();
            if subscribers.is_empty() {
                subscribers.push(None);
            }
            for subscriber in subscribers {
                edges.entry((&service.name, subscriber)).or_default().push(&event.name);
            }
        }
    }
    edges.into_iter().collect()
}

fn mermaid(mart: &Mart) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for service in services(mart) {
        text.push_str(&format!("  {0}[{0}]\n", service.name));
    }
    for ((publisher, subscriber), events) in edges(mart) {
        let subscriber = subscriber.unwrap_or("none((no subscriber))");
        text.push_str(&format!("  {publisher} -- \"{}\" --> {subscriber}\n", events.join("<br/>")));
    }
    text
}

fn dot(mart: &Mart) -> String {
    let mut text = "digraph mart {\n  rankdir=LR;\n".to_owned();
    for service in services(mart) {
        text.push_str(&format!("  \"{}\" [shape=box];\n", service.name));
    }
    for ((publisher, subscriber), events) in edges(mart) {
        let (subscriber, label) = (subscriber.unwrap_or("no subscriber"), events.join("\\n"));
        text.push_str(&format!("  \"{publisher}\" -> \"{subscriber}\" [label=\"{label}\"];\n"));
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
