//! Adds the packages of a new service to `Cargo.lock` exactly as cargo would, so that no dependency has to be resolved.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

const PACKAGE: &str = "[[package]]\n";

/// Returns the lock with the packages of these manifests.
pub(crate) fn with_packages(lock: &str, manifests: &[&str]) -> Result<String> {
    let (head, mut packages) = split(lock);
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for text in &packages {
        if let (Some(name), Some(version)) = (value(text, "name"), value(text, "version")) {
            versions.entry(name).or_default().push(version);
        }
    }
    // The dependencies of the mart's own packages, as `name version` if the lock has several versions of one.
    let used: BTreeSet<&str> = packages
        .iter()
        .filter(|text| !text.contains("\nsource = "))
        .flat_map(|text| text.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\",")))
        .collect();
    let mut added = Vec::new();
    for manifest in manifests {
        let parsed: toml::Table = manifest.parse()?;
        let name = parsed["package"]["name"].as_str().unwrap_or_default().to_owned();
        let mut needed = BTreeSet::new();
        for part in ["dependencies", "dev-dependencies"] {
            let table = parsed.get(part).and_then(toml::Value::as_table);
            needed.extend(table.into_iter().flat_map(|table| table.keys().cloned()));
        }
        let lines = needed.iter().map(|needed| {
            let qualified = match versions.get(needed.as_str()).map(Vec::as_slice) {
                Some([_, _, ..]) => used.iter().find(|used| used.starts_with(&format!("{needed} "))).copied(),
                _ => None,
            };
            format!(" \"{}\",\n", qualified.unwrap_or(needed))
        });
        let text =
            format!("name = \"{name}\"\nversion = \"0.1.0\"\ndependencies = [\n{}]\n", lines.collect::<String>());
        added.push((name, text));
    }
    let added: Vec<(String, String)> = added;
    for (name, text) in &added {
        let next = packages.iter().position(|text| value(text, "name").is_some_and(|known| known > name.as_str()));
        packages.insert(next.unwrap_or(packages.len()), text);
    }
    Ok(join(head, &packages))
}

/// Returns the lock without the mart's packages of these names.
pub(crate) fn without_packages(lock: &str, names: &[String]) -> String {
    let (head, mut packages) = split(lock);
    let is_named = |text: &str| value(text, "name").is_some_and(|name| names.iter().any(|removed| removed == name));
    packages.retain(|text| !is_named(text) || text.contains("\nsource = "));
    join(head, &packages)
}

/// Splits a lock into the text before the packages, and the packages.
fn split(lock: &str) -> (&str, Vec<&str>) {
    let start = lock.find(PACKAGE).unwrap_or(lock.len());
    let texts = lock[start..].split(PACKAGE).filter(|text| !text.trim().is_empty());
    (&lock[..start], texts.map(|text| text.trim_end_matches('\n')).collect())
}

fn join(head: &str, packages: &[&str]) -> String {
    let texts: Vec<String> = packages.iter().map(|text| format!("{PACKAGE}{text}\n")).collect();
    format!("{head}{}", texts.join("\n"))
}

fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"'))
}
