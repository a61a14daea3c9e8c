//! The full set of files that a tree shall have, in memory: one plan for checking, showing and writing.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use crate::lock::{Entry, Lock};
use crate::{digest, format};

/// How a file is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Always rewritten.
    Generated,
    /// Rewritten too, but a recorded waiver keeps an edited one.
    Managed,
    /// Written once, for people to go on with.
    Scaffold,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Generated, Self::Managed, Self::Scaffold];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Managed => "managed",
            Self::Scaffold => "scaffold",
        }
    }
}

/// A file as it was rendered, before it is formatted.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) kind: Kind,
    /// The template, and what it was filled from.
    pub(crate) source: String,
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

    /// The contents of those files that some choose, formatted.
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

/// How a file of the tree stands to the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It is what the plan says.
    Current,
    /// It is not there.
    Missing,
    /// It is as it was written, but would be written otherwise now.
    Stale,
    /// Somebody changed it after it was written, or it was there before.
    Edited,
}

/// How a planned file stands, told from digests alone: only a file that is not current has to be formatted.
pub(crate) fn state(planned: &Planned, entry: Option<&Entry>, there: Option<&str>) -> State {
    let Some(there) = there else { return State::Missing };
    match entry {
        Some(entry) if entry.content != digest::bytes(there.as_bytes()) => State::Edited,
        Some(entry) if entry.raw == digest::bytes(planned.raw.as_bytes()) => State::Current,
        Some(_) => State::Stale,
        None => State::Edited,
    }
}

/// Files that were written and that nothing asks for any more, by their paths. Seeds are people's.
pub(crate) fn orphans<'a>(plan: &Plan, lock: &'a Lock) -> Vec<(&'a String, &'a Entry)> {
    lock.files.iter().filter(|(path, entry)| entry.kind != Kind::Scaffold && !plan.files.contains_key(*path)).collect()
}
