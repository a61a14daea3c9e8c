//! Whether a core reaches a crate that does I/O, directly or through others.
//!
//! The mart's own crates are followed by their manifests, which tell dependencies of tests apart; all others by Cargo.lock.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use toml::{Table, Value};

use crate::finding::{Finding, Place};
use crate::tree::Tree;

/// Crates that do I/O, and those of the mart that do.
const IO: &[&str] = &[
    "async-std",
    "axum",
    "devstack",
    "hyper",
    "mart-chassis",
    "mart-proto",
    "mio",
    "prost",
    "rdkafka",
    "reqwest",
    "smol",
    "socket2",
    "sqlx",
    "tokio",
    "tonic",
];

/// Looks at the core of every service in services/.
pub(crate) fn cores(tree: &Tree, services: &[String]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let manifests: Vec<String> = services.iter().map(|name| format!("services/{name}/core/Cargo.toml")).collect();
    let manifests: Vec<&String> = manifests.iter().filter(|path| tree.path(path).is_file()).collect();
    if manifests.is_empty() {
        return Ok(findings);
    }
    let crates = Crates::read(tree)?;
    for path in manifests {
        let mut way = Vec::new();
        if crates.reaches(tree, path, &mut way, &mut BTreeSet::new())? {
            let what = format!("this core reaches a crate that does I/O: {}", way.join(" -> "));
            let help = "take the dependency away: a core says what it needs as a port, and an adapter brings it";
            findings.push(Finding::error("core-io", Place::file(path.as_str()), what, help));
        }
    }
    Ok(findings)
}

/// What depends on what.
struct Crates {
    /// The dependencies table of the workspace.
    workspace: Table,
    /// Of crates from a registry.
    locked: BTreeMap<String, Vec<String>>,
}

impl Crates {
    fn read(tree: &Tree) -> Result<Self> {
        let manifest = table(tree, "Cargo.toml")?;
        let dependencies = manifest.get("workspace").and_then(|workspace| workspace.get("dependencies"));
        let workspace = dependencies.and_then(Value::as_table).cloned().unwrap_or_default();
        let lock = if tree.path("Cargo.lock").is_file() { table(tree, "Cargo.lock")? } else { Table::new() };
        let mut locked: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for package in lock.get("package").and_then(Value::as_array).into_iter().flatten() {
            let name = package.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            let needs = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
            // Where several versions are there, a dependency is `name version`.
            let needs = needs.filter_map(|need| need.as_str()?.split(' ').next().map(str::to_owned));
            locked.entry(name).or_default().extend(needs);
        }
        Ok(Self { workspace, locked })
    }

    /// Follows a manifest of the mart; `way` is how it got to I/O.
    fn reaches(&self, tree: &Tree, manifest: &str, way: &mut Vec<String>, seen: &mut BTreeSet<String>) -> Result<bool> {
        let text = table(tree, manifest)?;
        let folder = manifest.strip_suffix("/Cargo.toml").unwrap_or_default();
        for (name, said) in text.get("dependencies").and_then(Value::as_table).into_iter().flatten() {
            let inherits = said.get("workspace").and_then(Value::as_bool).unwrap_or(false);
            let (said, base) = if inherits { (self.workspace.get(name).unwrap_or(said), "") } else { (said, folder) };
            let package = said.get("package").and_then(Value::as_str).unwrap_or(name).to_owned();
            way.push(package.clone());
            let path = said.get("path").and_then(Value::as_str);
            let found = match path {
                _ if IO.contains(&package.as_str()) => true,
                _ if !seen.insert(package.clone()) => false,
                Some(path) => self.reaches(tree, &below(base, path), way, seen)?,
                None => self.locked_reaches(&package, way, seen),
            };
            if found {
                return Ok(true);
            }
            way.pop();
        }
        Ok(false)
    }

    fn locked_reaches(&self, package: &str, way: &mut Vec<String>, seen: &mut BTreeSet<String>) -> bool {
        for need in self.locked.get(package).into_iter().flatten() {
            way.push(need.clone());
            if IO.contains(&need.as_str()) || seen.insert(need.clone()) && self.locked_reaches(need, way, seen) {
                return true;
            }
            way.pop();
        }
        false
    }
}

/// The manifest of a path that a manifest in a folder names.
fn below(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            part => parts.push(part),
        }
    }
    parts.push("Cargo.toml");
    parts.join("/")
}

fn table(tree: &Tree, path: &str) -> Result<Table> {
    let text = tree.read(path)?.with_context(|| format!("{path} is not there"))?;
    text.parse().with_context(|| format!("{path} can't be read as TOML"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_manifest_is_found_from_a_folder() {
        assert_eq!(super::below("services/product/core", "../../../kernel"), "kernel/Cargo.toml");
        assert_eq!(super::below("", "kernel"), "kernel/Cargo.toml");
    }
}
