//! Checks of contracts: comments, names, and conflicts between services.

use std::collections::HashMap;

use prost_reflect::{EnumDescriptor, FileDescriptor, MessageDescriptor};

use super::Builder;
use crate::contract::model::{Operation, Service};

impl Builder<'_> {
    /// Requires a comment on every operation, message, field and enum value.
    pub(super) fn comments(&mut self, files: &[FileDescriptor]) {
        for file in files {
            let mut found = Vec::new();
            for service in file.services() {
                for method in service.methods() {
                    found.push((method.path().to_vec(), format!("the operation `{}`", method.name())));
                }
            }
            let mut todo: Vec<MessageDescriptor> = file.messages().collect();
            while let Some(message) = todo.pop() {
                found.push((message.path().to_vec(), format!("the message `{}`", message.name())));
                for field in message.fields() {
                    found
                        .push((field.path().to_vec(), format!("the field `{}` of `{}`", field.name(), message.name())));
                }
                todo.extend(message.child_messages().filter(|child| !child.is_map_entry()));
            }
            let enums: Vec<EnumDescriptor> = file.enums().collect();
            for one in enums {
                for value in one.values() {
                    found.push((value.path().to_vec(), format!("the value `{}`", value.name())));
                }
            }
            for (at, what) in found {
                if self.comment(file, &at).is_empty() {
                    let place = self.place(file, &at);
                    self.error(
                        "comment",
                        &place,
                        format!("{what} has no comment"),
                        "describe it in a comment above it: the API documents show the comment",
                    );
                }
            }
        }
    }

    /// Rejects names that are different in the contract and equal in Rust.
    pub(super) fn unique(&mut self, service: &Service) {
        let mut seen: HashMap<&str, &str> = HashMap::new();
        let mut clashes = Vec::new();
        for operation in service.operations() {
            if operation.method == "router" {
                clashes.push((operation.place.clone(), "router".to_owned(), operation.name.clone()));
            }
            if let Some(other) = seen.insert(&operation.method, &operation.name) {
                clashes.push((operation.place.clone(), other.to_owned(), operation.name.clone()));
            }
        }
        let mut seen: HashMap<&str, &str> = HashMap::new();
        for event in &service.events {
            if let Some(other) = seen.insert(&event.method, &event.name) {
                clashes.push((event.place.clone(), other.to_owned(), event.name.clone()));
            }
        }
        for (place, one, other) in clashes {
            let what = format!("`{other}` and `{one}` have the same name in Rust");
            self.error("names", &place, what, "rename one of them; all rpcs of a package share one namespace");
        }
    }

    /// Checks all services together: a topic has one owner and one retention, and no two operations match the same request.
    pub(super) fn across(&mut self, services: &[Service]) {
        let mut topics: HashMap<&str, &str> = HashMap::new();
        let mut found = Vec::new();
        for service in services {
            for event in &service.events {
                match topics.insert(&event.topic, &service.name) {
                    Some(other) if other != service.name => found.push((
                        "topic",
                        event.place.clone(),
                        format!("the topic `{}` is published by {other} and by {}", event.topic, service.name),
                        "a topic has one owner: give this event a topic of its own service",
                    )),
                    _ => {}
                }
            }
        }
        for service in services {
            let mut retentions: HashMap<&str, i32> = HashMap::new();
            for event in &service.events {
                let minutes = event.retention_minutes;
                if retentions.insert(&event.topic, minutes).is_some_and(|other| other != minutes) {
                    found.push((
                        "retention",
                        event.place.clone(),
                        format!("the events of the topic `{}` have different retention_minutes", event.topic),
                        "give all events of a topic the same retention_minutes",
                    ));
                }
            }
        }
        let help = "change one of the paths so that no request matches both";
        // Paths of different services conflict only if they have the same shape, so they are looked up by it.
        let mut shapes: HashMap<String, Vec<(&str, &Operation)>> = HashMap::new();
        for service in services {
            let operations: Vec<&Operation> = service.operations().collect();
            for (index, operation) in operations.iter().enumerate() {
                let own = operations[..index].iter().map(|other| (*other, true));
                let known = shapes.entry(shape(&operation.path)).or_default();
                let others = known.iter().filter(|(name, _)| *name != service.name).map(|(_, other)| (*other, false));
                for (other, same_service) in own.chain(others) {
                    if let Some(what) = overlap(operation, other, same_service) {
                        found.push(("overlap", operation.place.clone(), what, help));
                    }
                }
                known.push((service.name.as_str(), *operation));
            }
        }
        for (rule, place, what, help) in found {
            self.error(rule, &place, what, help);
        }
    }
}

/// Returns a path without the names of its variables.
fn shape(path: &str) -> String {
    path.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment }).collect::<Vec<_>>().join("/")
}

/// Describes the conflict between two operations, if they have one.
fn overlap(one: &Operation, other: &Operation, same_service: bool) -> Option<String> {
    let (a, b): (Vec<&str>, Vec<&str>) = (one.path.split('/').collect(), other.path.split('/').collect());
    if a.len() != b.len() {
        return None;
    }
    if shape(&one.path) == shape(&other.path) {
        if one.verb == other.verb {
            return Some(format!(
                "`{}` and `{}` are both {} {}",
                other.name,
                one.name,
                one.verb.to_uppercase(),
                one.path
            ));
        }
        if same_service && a != b {
            return Some(format!(
                "`{}` and `{}` name the variables of the same path differently",
                other.name, one.name
            ));
        }
        return None;
    }
    if same_service { shadowed(one, &a, &b).or_else(|| shadowed(other, &b, &a)) } else { None }
}

/// Describes how a path with a literal hides requests of an operation that has a variable in its place: a router prefers the
/// literal. A variable that only accepts UUIDs never equals a literal.
fn shadowed(hidden: &Operation, hidden_path: &[&str], path: &[&str]) -> Option<String> {
    let variable = |segment: &str| segment.starts_with('{');
    let mut found = None;
    for (mine, theirs) in hidden_path.iter().zip(path) {
        match (variable(mine), variable(theirs)) {
            (true, true) => {}
            (true, false) if hidden.uuids.iter().any(|uuid| format!("{{{uuid}}}") == *mine) => return None,
            (true, false) => found = Some((mine, theirs)),
            _ if mine == theirs => {}
            _ => return None,
        }
    }
    let (mine, theirs) = found?;
    Some(format!("`{}` can't be called with `{theirs}` as {mine}: {} is another path", hidden.name, path.join("/")))
}
