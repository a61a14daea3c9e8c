//! What a change can reach: the packages that changed, and all that are built of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::process::Command;

use crate::{process, root};

/// The crates of the workspace and what each is built of.
#[derive(Debug)]
pub struct Graph {
    /// Folders of sources, and the package whose they are. The features of a service stand outside of its package.
    folders: BTreeMap<PathBuf, String>,
    /// The packages that each one is built of, those for tests too.
    needs: BTreeMap<String, BTreeSet<String>>,
}

/// Files that are read by a package without standing in it. What all crates are built by is the kernel's, which all are built of.
const READ_BY: [(&str, &str); 5] = [
    ("template", "martgen"),
    ("kong", "devstack"),
    ("Cargo.toml", "mart-kernel"),
    ("Cargo.lock", "mart-kernel"),
    (".cargo", "mart-kernel"),
];

impl Graph {
    /// As cargo tells it.
    pub async fn read() -> Result<Self> {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(root()).args(["metadata", "--no-deps", "--offline", "--format-version=1"]);
        Self::of(&serde_json::from_str(&process::output(&mut cargo).await?)?)
    }

    fn of(metadata: &Value) -> Result<Self> {
        let packages = metadata["packages"].as_array().context("cargo metadata lists packages")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let parent = |value: &Value| Path::new(value.as_str().unwrap_or_default()).parent().map(Path::to_owned);
        let (mut folders, mut needs) = (BTreeMap::new(), BTreeMap::new());
        for package in packages {
            let name = text(&package["name"]);
            folders.extend(parent(&package["manifest_path"]).map(|folder| (folder, name.clone())));
            for target in package["targets"].as_array().into_iter().flatten() {
                folders.extend(parent(&target["src_path"]).map(|folder| (folder, name.clone())));
            }
            let dependencies = package["dependencies"].as_array().into_iter().flatten();
            let own = dependencies.filter(|dependency| dependency["path"].is_string());
            needs.insert(name.clone(), own.map(|dependency| text(&dependency["name"])).collect());
        }
        Ok(Self { folders, needs })
    }

    /// The package that a file of the repository belongs to; `None` if no crate is built of it.
    fn package(&self, file: &Path) -> Option<&str> {
        if let Some((_, package)) = READ_BY.iter().find(|(start, _)| file.starts_with(start)) {
            return Some(package);
        }
        let whole = root().join(file);
        let folder = whole.ancestors().skip(1).find(|folder| self.folders.contains_key(*folder))?;
        self.folders.get(folder).map(String::as_str)
    }

    /// Those of these files that no crate is built of.
    pub fn others<'a>(&self, files: &'a [PathBuf]) -> Vec<&'a Path> {
        files.iter().map(PathBuf::as_path).filter(|file| self.package(file).is_none()).collect()
    }

    /// The packages of these files.
    pub fn packages(&self, files: &[PathBuf]) -> BTreeSet<String> {
        files.iter().filter_map(|file| self.package(file)).map(str::to_owned).collect()
    }

    /// These packages and all that are built of them.
    pub fn reached(&self, changed: &BTreeSet<String>) -> BTreeSet<String> {
        let mut reached = changed.clone();
        loop {
            let before = reached.len();
            let more = self.needs.iter().filter(|(_, needs)| !needs.is_disjoint(&reached));
            reached.extend(more.map(|(name, _)| name.clone()).collect::<Vec<_>>());
            if reached.len() == before {
                return reached;
            }
        }
    }
}

/// The files that differ from a commit, those among them that git does not know yet.
pub async fn files(commit: &str) -> Result<Vec<PathBuf>> {
    let git = async |words: &[&str]| -> Result<String> {
        process::output(Command::new("git").current_dir(root()).args(words)).await
    };
    let mut told = git(&["diff", "--name-only", commit, "--"]).await?;
    told.push_str(&git(&["ls-files", "--others", "--exclude-standard"]).await?);
    Ok(told.lines().map(PathBuf::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Graph {
        let here = |path: &str| root().join(path).display().to_string();
        let package = |name: &str, folder: &str, needs: &[&str], targets: &[&str]| {
            serde_json::json!({
                "name": name,
                "manifest_path": here(&format!("{folder}/Cargo.toml")),
                "targets": targets.iter().map(|path| serde_json::json!({ "src_path": here(path) })).collect::<Vec<_>>(),
                "dependencies": needs.iter().map(|need| serde_json::json!({ "name": need, "path": "" })).collect::<Vec<_>>(),
            })
        };
        let packages = [
            package("a-core", "services/a/core", &[], &["services/a/core/src/lib.rs"]),
            package("a-service", "services/a/service", &["a-core", "runner"], &["features/a/main.rs"]),
            package("runner", "features", &[], &["features/src/lib.rs"]),
            package("b-core", "services/b/core", &[], &[]),
        ];
        Graph::of(&serde_json::json!({ "packages": packages })).expect("a graph")
    }

    fn reached(files: &[&str]) -> Vec<String> {
        let graph = graph();
        let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
        graph.reached(&graph.packages(&files)).into_iter().collect()
    }

    #[test]
    fn a_core_reaches_its_service_and_no_other_core() {
        assert_eq!(reached(&["services/a/core/src/domain/order.rs"]), ["a-core", "a-service"]);
        assert_eq!(reached(&["services/b/core/src/lib.rs"]), ["b-core"]);
    }

    #[test]
    fn scenarios_belong_to_the_service_that_runs_them() {
        assert_eq!(reached(&["features/a/life.feature"]), ["a-service"]);
        assert_eq!(reached(&["features/src/lib.rs"]), ["a-service", "runner"]);
    }

    #[test]
    fn what_all_are_built_by_reaches_the_kernel() {
        for file in ["Cargo.toml", "Cargo.lock", ".cargo/config.toml"] {
            assert_eq!(reached(&[file]), ["mart-kernel"]);
        }
        assert!(reached(&["services/a/core/Cargo.toml"]).contains(&"a-core".to_owned()));
    }

    #[test]
    fn a_page_reaches_no_crate() {
        assert!(reached(&["README.md", "docs/adr/0001-outbox-and-inbox.md"]).is_empty());
    }
}
