//! The plan: all files that follow from the contracts, in memory. Checking, previewing and writing use the same plan.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use crate::kind::Kind;
use crate::lock::{Entry, Lock};
use crate::{digest, format};

/// A rendered file, before it is formatted.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) kind: Kind,
    /// The template and the contracts that it was rendered from.
    pub(crate) source: String,
    /// The text before it is formatted.
    pub(crate) raw: String,
}

/// Files by their paths from the top.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) files: BTreeMap<String, Planned>,
}

impl Plan {
    pub(crate) fn add(&mut self, path: String, kind: Kind, source: String, mut raw: String) {
        raw.truncate(raw.trim_end().len());
        raw.push('\n');
        self.files.insert(path, Planned { kind, source, raw });
    }

    /// Returns the formatted contents of the files that `wanted` selects.
    pub(crate) fn contents(&self, root: &Path, wanted: impl Fn(&str) -> bool) -> Result<BTreeMap<String, String>> {
        let chosen = self.files.iter().filter(|(path, _)| wanted(path));
        let (rust, plain): (Vec<_>, Vec<_>) =
            chosen.partition(|(path, _)| Path::new(path).extension().is_some_and(|ending| ending == "rs"));
        let texts: Vec<&str> = rust.iter().map(|(_, planned)| planned.raw.as_str()).collect();
        let formatted = format::rust(root, &texts)?;
        let rust = rust.into_iter().map(|(path, _)| path.clone()).zip(formatted);
        let plain = plain.into_iter().map(|(path, planned)| (path.clone(), planned.raw.clone()));
        Ok(rust.chain(plain).collect())
    }
}

/// The state of a file in the tree, compared with the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Equals the plan.
    Current,
    /// Does not exist.
    Missing,
    /// As martgen wrote it, but the plan has changed since.
    Stale,
    /// Changed by hand, or not written by martgen.
    Edited,
}

/// Returns the state of a planned file. It is computed from digests, so only files that are not current have to be formatted.
pub(crate) fn state(planned: &Planned, entry: Option<&Entry>, current: Option<&str>) -> State {
    let Some(current) = current else { return State::Missing };
    match entry {
        Some(entry) if entry.content != digest::bytes(current.as_bytes()) => State::Edited,
        Some(entry) if entry.raw == digest::bytes(planned.raw.as_bytes()) => State::Current,
        Some(_) => State::Stale,
        None => State::Edited,
    }
}

/// Returns the generated and managed files in the lock that the plan no longer has.
pub(crate) fn orphans<'a>(plan: &Plan, lock: &'a Lock) -> Vec<(&'a String, &'a Entry)> {
    lock.files.iter().filter(|(path, entry)| entry.kind != Kind::Scaffold && !plan.files.contains_key(*path)).collect()
}
