//! What a run would change and what it would leave alone: the plan held against the tree.

use std::collections::BTreeMap;

use anyhow::Result;
use similar::TextDiff;

use crate::digest;
use crate::finding::{Finding, Place};
use crate::journal::Change;
use crate::lock::{Entry, LOCK, Lock};
use crate::plan::{self, Kind, Plan, State};
use crate::tree::Tree;
use crate::waivers::Waivers;

/// The changes that make a tree what the plan says, and what is in their way.
#[derive(Debug)]
pub(crate) struct ChangeSet {
    /// With the lock as the last one.
    pub(crate) changes: Vec<Change>,
    /// Files that somebody changed, which are left alone.
    pub(crate) findings: Vec<Finding>,
    /// The lock after the changes.
    pub(crate) next: Lock,
    /// What stands in the files that would be changed.
    pub(crate) before: BTreeMap<String, String>,
}

/// Holds a plan against the tree. With `overwrite`, hand edits are given up.
pub(crate) fn change_set(
    tree: &Tree,
    plan: &Plan,
    lock: &Lock,
    waivers: &Waivers,
    overwrite: bool,
) -> Result<ChangeSet> {
    let mut there = BTreeMap::new();
    for path in plan.files.keys().chain(lock.files.keys()) {
        if let Some(text) = tree.read(path)? {
            there.insert(path.clone(), text);
        }
    }
    let state = |path: &str| {
        plan.files
            .get(path)
            .map(|planned| plan::state(planned, lock.files.get(path), there.get(path).map(String::as_str)))
    };
    let contents = plan.contents(&tree.root, |path| state(path).is_some_and(|state| state != State::Current))?;
    let mut next = lock.clone();
    let mut change_set =
        ChangeSet { changes: Vec::new(), findings: Vec::new(), next: Lock::default(), before: BTreeMap::new() };
    for (path, content) in &contents {
        let planned = &plan.files[path];
        let raw = digest::bytes(planned.raw.as_bytes());
        let entry = Entry {
            kind: planned.kind,
            content: digest::bytes(content.as_bytes()),
            raw: raw.clone(),
            source: planned.source.clone(),
        };
        let kept = there.get(path);
        let edited = state(path) == Some(State::Edited) && kept != Some(content);
        let waiver = waivers.0.get(path).filter(|_| planned.kind == Kind::Managed);
        match (edited && !overwrite, waiver) {
            (true, Some(waiver)) if waiver.raw == raw => {}
            (true, Some(waiver)) => {
                let what = format!("the template of a waived file has changed ({})", waiver.reason);
                let help = format!("take over what you need, then: cargo martgen waive {path} --reason …");
                change_set.left_alone("waiver", path, what, help, kept, content);
            }
            (true, None) => {
                let there_before = !lock.files.contains_key(path);
                let what = if there_before {
                    "a file that martgen did not write is in the way"
                } else {
                    "a file that martgen keeps was edited"
                };
                let mut help = "cargo martgen generate --overwrite gives the edit up".to_owned();
                if planned.kind == Kind::Managed {
                    help.push_str(&format!("; cargo martgen waive {path} --reason … keeps it"));
                } else {
                    help.push_str("; change the contract or the template instead");
                }
                change_set.left_alone("edited", path, what.to_owned(), help, kept, content);
            }
            (false, _) => {
                if kept != Some(content) {
                    change_set.change(path, Some(content.clone()), kept);
                }
                next.files.insert(path.clone(), entry);
            }
        }
    }
    for (path, entry) in plan::orphans(plan, lock) {
        match there.get(path) {
            Some(text) if digest::bytes(text.as_bytes()) != entry.content && !overwrite => {
                let what = "nothing asks for this file any more, but it was edited";
                let help = "remove it, or cargo martgen generate --overwrite does";
                change_set.findings.push(Finding::error("orphan", Place::file(path.as_str()), what, help));
            }
            kept => {
                if kept.is_some() {
                    change_set.change(path, None, kept);
                }
                next.files.remove(path);
            }
        }
    }
    // A scaffold that somebody removed was theirs to remove.
    next.files.retain(|path, entry| {
        entry.kind != Kind::Scaffold || plan.files.contains_key(path) || there.contains_key(path)
    });
    if next != *lock || tree.read(LOCK)?.is_none() {
        let kept = tree.read(LOCK)?;
        change_set.change(LOCK, Some(next.text()), kept.as_ref());
    }
    change_set.next = next;
    Ok(change_set)
}

impl ChangeSet {
    fn change(&mut self, path: &str, content: Option<String>, before: Option<&String>) {
        self.changes.push(Change { path: path.to_owned(), content });
        if let Some(before) = before {
            self.before.insert(path.to_owned(), before.clone());
        }
    }

    fn left_alone(
        &mut self,
        rule: &'static str,
        path: &str,
        what: String,
        help: String,
        kept: Option<&String>,
        content: &str,
    ) {
        let kept = kept.map(String::as_str).unwrap_or_default();
        let finding = Finding::error(rule, Place::file(path), what, help);
        self.findings.push(finding.with_diff(diff(path, content, kept)));
    }

    /// The changes to files, without the lock.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.path != LOCK)
    }

    /// What a change does.
    pub(crate) fn word(&self, change: &Change) -> &'static str {
        match (&change.content, self.before.contains_key(&change.path)) {
            (None, _) => "remove",
            (Some(_), false) => "create",
            (Some(_), true) => "change",
        }
    }

    /// How a change alters its file.
    pub(crate) fn diff(&self, change: &Change) -> String {
        let before = self.before.get(&change.path).map(String::as_str).unwrap_or_default();
        diff(&change.path, before, change.content.as_deref().unwrap_or_default())
    }
}

/// The lines that differ, with some around them.
pub(crate) fn diff(path: &str, before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after).unified_diff().header(&format!("a/{path}"), &format!("b/{path}")).to_string()
}
