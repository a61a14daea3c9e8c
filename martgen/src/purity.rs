//! Checks that no core depends on a crate that does I/O, directly or indirectly.
//!
//! The mart's own crates are followed by their manifests, in which dependencies of tests are separate. All others are followed by
//! Cargo.lock.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use toml::{Table, Value};

use crate::finding::{Finding, Place};
use crate::tree::Tree;

/// Crates that do I/O, including the mart's own.
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

/// Checks the cores of these services in services/.
pub(crate) fn cores(tree: &Tree, services: &[String]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let manifests: Vec<String> = services.iter().map(|name| format!("services/{name}/core/Cargo.toml")).collect();
    let manifests: Vec<&String> = manifests.iter().filter(|path| tree.path(path).is_file()).collect();
    if manifests.is_empty() {
        return Ok(findings);
    }
    let crates = Crates::read(tree)?;
    for path in manifests {
        let mut chain = Vec::new();
        if crates.reaches(tree, path, &mut chain, &mut BTreeSet::new())? {
            let what = format!("this core depends on a crate that does I/O: {}", chain.join(" -> "));
            let help = "remove the dependency: declare a port in the core, and implement it in an adapter";
            findings.push(Finding::error("core-io", Place::file(path.as_str()), what, help));
        }
    }
    Ok(findings)
}

/// The dependencies of crates.
struct Crates {
    /// The `dependencies` table of the workspace.
    workspace: Table,
    /// The dependencies of each crate in Cargo.lock.
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
            // A dependency is `name version` if the lock has several versions of it.
            let needs = needs.filter_map(|need| need.as_str()?.split(' ').next().map(str::to_owned));
            locked.entry(name).or_default().extend(needs);
        }
        Ok(Self { workspace, locked })
    }

    /// Returns whether a manifest of the mart leads to a crate that does I/O. `chain` has the dependencies up to this crate then.
    fn reaches(
        &self,
        tree: &Tree,
        manifest: &str,
        chain: &mut Vec<String>,
        seen: &mut BTreeSet<String>,
    ) -> Result<bool> {
        let text = table(tree, manifest)?;
        let folder = manifest.strip_suffix("/Cargo.toml").unwrap_or_default();
        for (name, entry) in text.get("dependencies").and_then(Value::as_table).into_iter().flatten() {
            let inherits = entry.get("workspace").and_then(Value::as_bool).unwrap_or(false);
            let (entry, base) =
                if inherits { (self.workspace.get(name).unwrap_or(entry), "") } else { (entry, folder) };
            let package = entry.get("package").and_then(Value::as_str).unwrap_or(name).to_owned();
            chain.push(package.clone());
            let path = entry.get("path").and_then(Value::as_str);
            let found = match path {
                _ if IO.contains(&package.as_str()) => true,
                _ if !seen.insert(package.clone()) => false,
                Some(path) => self.reaches(tree, &manifest_at(base, path), chain, seen)?,
                None => self.locked_reaches(&package, chain, seen),
            };
            if found {
                return Ok(true);
            }
            chain.pop();
        }
        Ok(false)
    }

    /// Does the same as `reaches` for a crate in Cargo.lock.
    fn locked_reaches(&self, package: &str, chain: &mut Vec<String>, seen: &mut BTreeSet<String>) -> bool {
        for need in self.locked.get(package).into_iter().flatten() {
            chain.push(need.clone());
            if IO.contains(&need.as_str()) || seen.insert(need.clone()) && self.locked_reaches(need, chain, seen) {
                return true;
            }
            chain.pop();
        }
        false
    }
}

/// Returns the path of the manifest in the folder `path`, which is relative to `folder`.
fn manifest_at(folder: &str, path: &str) -> String {
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
    let text = tree.read(path)?.with_context(|| format!("{path} is missing"))?;
    text.parse().with_context(|| format!("{path} can't be read as TOML"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_manifest_is_found_from_a_folder() {
        assert_eq!(super::manifest_at("services/product/core", "../../../kernel"), "kernel/Cargo.toml");
        assert_eq!(super::manifest_at("", "kernel"), "kernel/Cargo.toml");
    }
}
