//! Conventions of the tree that no compiler holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Crates that do I/O, and those of the mart that do. No core may reach one, not even through others.
const IO: [&str; 12] = [
    "tokio",
    "axum",
    "hyper",
    "sqlx",
    "rdkafka",
    "reqwest",
    "async-std",
    "mio",
    "mart-chassis",
    "mart-proto",
    "devstack",
    "tonic",
];

fn root() -> PathBuf {
    devstack::root()
}

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root())
        .args(["metadata", "--format-version=1"])
        .output()
        .expect("cargo metadata");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_core_reaches_no_io_not_even_through_others() {
    let metadata = metadata();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let names: BTreeMap<String, String> =
        metadata["packages"].as_array().expect("packages").iter().map(|p| (text(&p["id"]), text(&p["name"]))).collect();
    let mut uses: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().expect("nodes") {
        let normal =
            |dep: &&Value| dep["dep_kinds"].as_array().expect("kinds").iter().any(|kind| kind["kind"].is_null());
        let deps = node["deps"].as_array().expect("deps").iter().filter(normal).map(|dep| text(&dep["pkg"]));
        uses.insert(text(&node["id"]), deps.collect());
    }
    let cores: Vec<&String> =
        names.iter().filter(|(_, name)| name.ends_with("-core") && names_a_service(name)).map(|(id, _)| id).collect();
    assert!(!cores.is_empty());
    for core in cores.into_iter().chain(names.iter().filter(|(_, name)| *name == "mart-kernel").map(|(id, _)| id)) {
        let (mut reached, mut open) = (BTreeSet::new(), vec![core.clone()]);
        while let Some(id) = open.pop() {
            if reached.insert(id.clone()) {
                open.extend(uses.get(&id).into_iter().flatten().cloned());
            }
        }
        for id in reached {
            assert!(!IO.contains(&names[&id].as_str()), "{} reaches {}", names[core], names[&id]);
        }
    }
}

fn names_a_service(core: &str) -> bool {
    let name = core.trim_end_matches("-core");
    root().join("services").join(name).exists()
}

#[test]
fn adapters_know_nothing_of_each_other() {
    for service in devstack::service::all().expect("services") {
        let folder = root().join(format!("services/{service}/service/src/adapters"));
        let files = rust_files(&folder);
        let names: Vec<String> = files.iter().filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())).collect();
        for file in &files {
            let source = std::fs::read_to_string(file).expect("readable");
            let own = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            // `messages` is what adapters share, and `mod` lists them.
            for other in names.iter().filter(|name| *name != own && !["messages", "mod"].contains(&name.as_str())) {
                let uses = [format!("use super::{other}"), format!("adapters::{other}"), format!("super::{other}::")];
                let found = uses.iter().find(|line| source.contains(*line));
                assert!(found.is_none() || own == "mod", "{} imports the adapter {other}", file.display());
            }
        }
    }
}

#[test]
fn chassis_and_kernel_know_no_word_of_the_business() {
    let words = ["product", "products", "orders", "inventory", "payment", "customer", "catalogue", "notification"];
    for folder in ["chassis/src", "chassis/migrations", "kernel/src"] {
        for file in rust_files(&root().join(folder)) {
            let source = std::fs::read_to_string(&file).expect("readable");
            // Tests may use real contracts as examples.
            let code = source.split("#[cfg(test)]").next().unwrap_or_default();
            for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
                let line_words = line.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
                for word in line_words {
                    assert!(!words.contains(&word.as_str()), "{}: {line}", file.display());
                }
            }
        }
    }
}

#[test]
fn a_main_is_short() {
    for service in devstack::service::all().expect("services") {
        let path = root().join(format!("services/{service}/service/src/main.rs"));
        let lines = std::fs::read_to_string(&path).expect("readable").lines().count();
        assert!(lines <= 40, "{} has {lines} lines", path.display());
    }
}

#[test]
fn nothing_names_a_registry_or_a_folder_of_one_machine() {
    let output = Command::new("git").current_dir(root()).args(["ls-files", "-z"]).output().expect("git");
    for name in String::from_utf8_lossy(&output.stdout).split('\0').filter(|name| !name.is_empty()) {
        let path = root().join(name);
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if name.ends_with("Cargo.lock") || name.ends_with("tidy.rs") {
            continue;
        }
        for word in ["/root/", "/home/", "registry.npmjs", "repo1.maven", "files.pythonhosted", "proxy.golang"] {
            assert!(!text.contains(word), "{name} names {word}");
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
