//! The repository that martgen works on, and its settings in `martgen.toml`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::failure::Failure;

/// The settings in `martgen.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The first part of every package and topic.
    pub(crate) package: String,
    /// Services outside of services/.
    #[serde(default)]
    pub(crate) fixture: Vec<Fixture>,
}

/// A service outside of services/, for tests. It has no folder `core`, no container and no API documents.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fixture {
    /// Its name.
    pub(crate) service: String,
    /// The folder of its one crate.
    pub(crate) folder: String,
    /// The folder of its contracts.
    pub(crate) contracts: String,
    /// The Rust path of its core, whose module `domain` has its events.
    pub(crate) core: String,
}

/// A checkout.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    /// Its top folder.
    pub(crate) root: PathBuf,
    /// The settings in `martgen.toml`.
    pub(crate) settings: Settings,
}

/// The file that marks the top of a tree.
pub(crate) const SETTINGS: &str = "martgen.toml";

impl Tree {
    /// Returns the tree of a folder: the folder itself or its nearest parent with a `martgen.toml`.
    pub(crate) fn around(folder: &Path) -> Result<Self> {
        let found = folder.ancestors().find(|folder| folder.join(SETTINGS).is_file());
        let root = found.ok_or_else(|| {
            Failure::usage(
                format!("there is no {SETTINGS} in {} or a folder above it", folder.display()),
                "run martgen inside a checkout of the mart, or pass one with --root",
            )
        })?;
        let text = std::fs::read_to_string(root.join(SETTINGS)).with_context(|| format!("{SETTINGS} can't be read"))?;
        let settings = toml::from_str(&text)
            .map_err(|error| Failure::usage(format!("{SETTINGS}: {}", error.to_string().trim_end()), "fix the line"))?;
        Ok(Self { root: root.to_owned(), settings })
    }

    /// Returns the full path of a path from the top.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Returns the text of a file, or `None` if it does not exist.
    pub(crate) fn read(&self, relative: &str) -> Result<Option<String>> {
        match std::fs::read(self.path(relative)) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            Err(error) => Err(error).with_context(|| format!("{relative} can't be read")),
        }
    }

    /// Returns the paths from the top of all files below a folder whose names have this ending, sorted.
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

fn walk(folder: &Path, relative: &str, visit: &mut impl FnMut(&str)) -> Result<()> {
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
            walk(&path, &below, visit)?;
        } else {
            visit(&below);
        }
    }
    Ok(())
}
