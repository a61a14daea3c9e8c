//! The repository that martgen works on: where it is and what `martgen.toml` says of it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::failure::Failure;

/// What `martgen.toml` says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The first part of every package and topic.
    pub(crate) package: String,
    /// Services that stand elsewhere than in services/.
    #[serde(default)]
    pub(crate) fixture: Vec<Fixture>,
}

/// A service that stands elsewhere than in services/: it has no folder `core`, no container and no page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fixture {
    /// Its name.
    pub(crate) service: String,
    /// The folder of its one crate.
    pub(crate) folder: String,
    /// The folder of its contracts.
    pub(crate) contracts: String,
    /// The path of the module that has its facts.
    pub(crate) core: String,
}

/// A checkout.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    /// Its top folder.
    pub(crate) root: PathBuf,
    /// What `martgen.toml` says.
    pub(crate) settings: Settings,
}

/// The file that marks the top of a tree.
pub(crate) const SETTINGS: &str = "martgen.toml";

impl Tree {
    /// The tree that a folder stands in: the nearest folder above with a `martgen.toml`.
    pub(crate) fn around(folder: &Path) -> Result<Self> {
        let found = folder.ancestors().find(|folder| folder.join(SETTINGS).is_file());
        let root = found.ok_or_else(|| {
            Failure::usage(
                format!("there is no {SETTINGS} in {} or a folder above it", folder.display()),
                "run martgen inside a checkout of the mart, or name one by --root",
            )
        })?;
        let text = std::fs::read_to_string(root.join(SETTINGS)).with_context(|| format!("{SETTINGS} can't be read"))?;
        let settings = toml::from_str(&text).map_err(|error| {
            Failure::usage(format!("{SETTINGS}: {}", error.to_string().trim_end()), "mend the line")
        })?;
        Ok(Self { root: root.to_owned(), settings })
    }

    /// A file by its path from the top.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The text of a file; `None` where there is none.
    pub(crate) fn read(&self, relative: &str) -> Result<Option<String>> {
        match std::fs::read(self.path(relative)) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            Err(error) => Err(error).with_context(|| format!("{relative} can't be read")),
        }
    }

    /// All files below a folder whose name ends so, by their paths from the top, sorted.
    pub(crate) fn files(&self, folder: &str, ending: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        walk(&self.path(folder), folder, &mut |path| {
            if path.ends_with(ending) {
                found.push(path.to_owned());
            }
        })?;
        found.sort();
        Ok(found)
    }
}

fn walk(folder: &Path, relative: &str, tell: &mut impl FnMut(&str)) -> Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("{relative} can't be read")),
    };
    for entry in entries {
        let entry = entry.with_context(|| format!("{relative} can't be read"))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let (path, below) = (entry.path(), format!("{relative}/{name}"));
        if path.is_dir() {
            walk(&path, &below, tell)?;
        } else {
            tell(&below);
        }
    }
    Ok(())
}
