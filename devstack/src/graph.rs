//! The crate graph: which packages a change affects.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::process::Command;

use crate::{process, root};

/// The packages of the workspace and their dependencies.
#[derive(Debug)]
pub struct Graph {
    /// The package of each source folder. The features of a service are outside of its package's folder.
    folders: BTreeMap<PathBuf, String>,
    /// The workspace packages that each package depends on, dev-dependencies included.
    dependencies: BTreeMap<String, BTreeSet<String>>,
}

/// Files outside of a package that belong to it. Files that affect every build belong to the kernel, which every crate depends on.
const OWNERS: [(&str, &str); 5] = [
    ("template", "martgen"),
    ("kong", "devstack"),
    ("Cargo.toml", "mart-kernel"),
    ("Cargo.lock", "mart-kernel"),
    (".cargo", "mart-kernel"),
];

impl Graph {
    /// Reads the graph from `cargo metadata`.
    pub async fn read() -> Result<Self> {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(root()).args(["metadata", "--no-deps", "--offline", "--format-version=1"]);
        Self::of(&serde_json::from_str(&process::output(&mut cargo).await?)?)
    }

    fn of(metadata: &Value) -> Result<Self> {
        let packages = metadata["packages"].as_array().context("cargo metadata returned no packages")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let parent = |value: &Value| Path::new(value.as_str().unwrap_or_default()).parent().map(Path::to_owned);
        let (mut folders, mut graph) = (BTreeMap::new(), BTreeMap::new());
        for package in packages {
            let name = text(&package["name"]);
            folders.extend(parent(&package["manifest_path"]).map(|folder| (folder, name.clone())));
            for target in package["targets"].as_array().into_iter().flatten() {
                folders.extend(parent(&target["src_path"]).map(|folder| (folder, name.clone())));
            }
            let dependencies = package["dependencies"].as_array().into_iter().flatten();
            let own = dependencies.filter(|dependency| dependency["path"].is_string());
            graph.insert(name.clone(), own.map(|dependency| text(&dependency["name"])).collect());
        }
        Ok(Self { folders, dependencies: graph })
    }

    /// Returns the package of a file of the repository, or `None` if the file is not part of a crate.
    fn package(&self, file: &Path) -> Option<&str> {
        if let Some((_, package)) = OWNERS.iter().find(|(start, _)| file.starts_with(start)) {
            return Some(package);
        }
        let whole = root().join(file);
        let folder = whole.ancestors().skip(1).find(|folder| self.folders.contains_key(*folder))?;
        self.folders.get(folder).map(String::as_str)
    }

    /// Returns the files that are not part of a crate.
    pub fn others<'a>(&self, files: &'a [PathBuf]) -> Vec<&'a Path> {
        files.iter().map(PathBuf::as_path).filter(|file| self.package(file).is_none()).collect()
    }

    /// Returns the packages of these files.
    pub fn packages(&self, files: &[PathBuf]) -> BTreeSet<String> {
        files.iter().filter_map(|file| self.package(file)).map(str::to_owned).collect()
    }

    /// Returns the changed packages and all that depend on them.
    pub fn affected(&self, changed: &BTreeSet<String>) -> BTreeSet<String> {
        let mut affected = changed.clone();
        loop {
            let before = affected.len();
            let more = self.dependencies.iter().filter(|(_, dependencies)| !dependencies.is_disjoint(&affected));
            affected.extend(more.map(|(name, _)| name.clone()).collect::<Vec<_>>());
            if affected.len() == before {
                return affected;
            }
        }
    }
}

/// Returns the files that differ from a commit, untracked files included.
pub async fn files(commit: &str) -> Result<Vec<PathBuf>> {
    let git = async |words: &[&str]| -> Result<String> {
        process::output(Command::new("git").current_dir(root()).args(words)).await
    };
    let mut names = git(&["diff", "--name-only", commit, "--"]).await?;
    names.push_str(&git(&["ls-files", "--others", "--exclude-standard"]).await?);
    Ok(names.lines().map(PathBuf::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Graph {
        let here = |path: &str| root().join(path).display().to_string();
        let package = |name: &str, folder: &str, dependencies: &[&str], targets: &[&str]| {
            serde_json::json!({
                "name": name,
                "manifest_path": here(&format!("{folder}/Cargo.toml")),
                "targets": targets.iter().map(|path| serde_json::json!({ "src_path": here(path) })).collect::<Vec<_>>(),
                "dependencies": dependencies.iter().map(|name| serde_json::json!({ "name": name, "path": "" })).collect::<Vec<_>>(),
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

    fn affected(files: &[&str]) -> Vec<String> {
        let graph = graph();
        let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
        graph.affected(&graph.packages(&files)).into_iter().collect()
    }

    #[test]
    fn a_core_affects_its_service_and_no_other_core() {
        assert_eq!(affected(&["services/a/core/src/domain/order.rs"]), ["a-core", "a-service"]);
        assert_eq!(affected(&["services/b/core/src/lib.rs"]), ["b-core"]);
    }

    #[test]
    fn scenarios_belong_to_the_service_that_runs_them() {
        assert_eq!(affected(&["features/a/life.feature"]), ["a-service"]);
        assert_eq!(affected(&["features/src/lib.rs"]), ["a-service", "runner"]);
    }

    #[test]
    fn workspace_manifests_affect_the_kernel() {
        for file in ["Cargo.toml", "Cargo.lock", ".cargo/config.toml"] {
            assert_eq!(affected(&[file]), ["mart-kernel"]);
        }
        assert!(affected(&["services/a/core/Cargo.toml"]).contains(&"a-core".to_owned()));
    }

    #[test]
    fn documentation_affects_no_crate() {
        assert!(affected(&["README.md", "docs/adr/0001-outbox-and-inbox.md"]).is_empty());
    }
}
