//! `./mart up --watch`: rebuilds the services that a saved file affects.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use devstack::graph::Graph;
use devstack::{outln, process, root, service};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::process::Command;
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedReceiver};

/// The pause that ends a change: an editor saves several files at once.
const QUIET: Duration = Duration::from_millis(40);
/// The watched folders, besides the root manifest.
const FOLDERS: [&str; 6] = ["services", "chassis", "kernel", "proto", "template", "martgen"];

/// The services that were rebuilt.
#[derive(Debug)]
pub(crate) struct Rebuilt {
    pub(crate) services: Vec<String>,
    /// When the first of the files was saved.
    pub(crate) saved: SystemTime,
    /// Whether a migration has changed.
    pub(crate) migrations: bool,
}

/// Watches files until it is dropped.
pub(crate) struct Watch {
    /// The finished builds.
    pub(crate) rebuilt: Receiver<Rebuilt>,
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Starts to watch.
    pub(crate) fn start() -> Result<Self> {
        let (changed, changes) = mpsc::unbounded_channel();
        let send = move |event: notify::Result<notify::Event>| {
            if let Ok(event) = event
                && !matches!(event.kind, EventKind::Access(_))
            {
                // Sending fails only while the mart stops.
                event.paths.into_iter().for_each(|path| drop(changed.send(path)));
            }
        };
        let mut watcher = notify::recommended_watcher(send).context("cannot watch files")?;
        for folder in FOLDERS {
            watcher.watch(&root().join(folder), RecursiveMode::Recursive)?;
        }
        watcher.watch(&root().join("Cargo.toml"), RecursiveMode::NonRecursive)?;
        let (done, rebuilt) = mpsc::channel(1);
        tokio::spawn(rebuild_on_change(changes, done));
        Ok(Self { rebuilt, _watcher: watcher })
    }
}

async fn rebuild_on_change(mut changes: UnboundedReceiver<PathBuf>, done: Sender<Rebuilt>) {
    while let Some(first) = changes.recv().await {
        let mut files = BTreeSet::from([first]);
        while let Ok(Some(file)) = tokio::time::timeout(QUIET, changes.recv()).await {
            files.insert(file);
        }
        let files: Vec<PathBuf> = files.into_iter().filter_map(|file| source(&file)).collect();
        match build(&files, &mut changes).await {
            Ok(None) => {}
            Ok(Some(rebuilt)) => {
                // The receiver is gone: the mart stops.
                if done.send(rebuilt).await.is_err() {
                    return;
                }
            }
            Err(error) => outln!("{error:#}\nthe previous build keeps serving: fix the error and save again"),
        }
    }
}

/// Returns a source file's path in the repository, or `None` for any other file, such as an editor's temporary file.
fn source(file: &Path) -> Option<PathBuf> {
    let path = file.strip_prefix(root()).ok()?;
    let hidden = path.components().any(|part| part.as_os_str().to_str().is_none_or(|name| name.starts_with('.')));
    let endings = ["rs", "proto", "sql", "toml", "txt", "html"];
    let ending = path.extension().and_then(|ending| ending.to_str()).is_some_and(|ending| endings.contains(&ending));
    (ending && !hidden && !path.components().any(|part| part.as_os_str() == "target")).then(|| path.to_owned())
}

async fn build(files: &[PathBuf], changes: &mut UnboundedReceiver<PathBuf>) -> Result<Option<Rebuilt>> {
    let time = |file: &PathBuf| std::fs::metadata(root().join(file)).and_then(|file| file.modified()).ok();
    let saved = files.iter().filter_map(time).min().unwrap_or_else(SystemTime::now);
    let mut packages = Graph::read().await?.packages(files);
    if files.iter().any(|file| ["proto", "template"].iter().any(|folder| file.starts_with(folder))) {
        outln!("a contract or template has changed: running cargo martgen generate");
        let mut martgen = Command::new("cargo");
        martgen.current_dir(root()).args(["run", "--quiet", "--bin", "martgen", "--", "generate"]);
        process::run(&mut martgen).await?;
        // The files that martgen wrote belong to this build.
        let mut written = Vec::new();
        while let Ok(Some(file)) = tokio::time::timeout(QUIET, changes.recv()).await {
            written.extend(source(&file));
        }
        packages.extend(Graph::read().await?.packages(&written));
    }
    let affected = Graph::read().await?.affected(&packages);
    let services: Vec<String> =
        service::all()?.into_iter().filter(|name| affected.contains(&format!("{name}-service"))).collect();
    if services.is_empty() {
        return Ok(None);
    }
    outln!("building {}", services.join(", "));
    service::build(&services).await?;
    let migrations = files.iter().any(|file| file.extension().is_some_and(|ending| ending == "sql"));
    Ok(Some(Rebuilt { services, saved, migrations }))
}

#[cfg(test)]
mod tests {
    use super::source;
    use devstack::root;

    #[test]
    fn only_source_files_start_a_build() {
        let is_source = |path: &str| source(&root().join(path)).is_some();
        assert!(is_source("services/order/core/src/domain/order.rs"));
        assert!(is_source("proto/mart/order/v1/order.proto"));
        for path in [
            "services/order/core/src/.order.rs.swp",
            "services/order/README.md",
            "kernel/target/debug/x.rs",
            "proto/4913",
        ] {
            assert!(!is_source(path), "{path}");
        }
    }
}
