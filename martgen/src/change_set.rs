//! Compares the plan with the tree: the changes of a run, and the files that it leaves as they are.

use std::collections::BTreeMap;

use anyhow::Result;
use similar::TextDiff;

use crate::digest;
use crate::finding::{Finding, Place};
use crate::journal::Change;
use crate::kind::Kind;
use crate::lock::{Entry, LOCK, Lock};
use crate::plan::{self, Plan, Planned, State};
use crate::tree::Tree;
use crate::waivers::{Waiver, Waivers};

/// The changes that bring a tree in line with the plan, and the findings that prevent others.
#[derive(Debug)]
pub(crate) struct ChangeSet {
    /// The changes; that of the lock is the last one.
    pub(crate) changes: Vec<Change>,
    /// Files that were edited by hand. They are left as they are.
    pub(crate) findings: Vec<Finding>,
    /// The lock after the changes.
    pub(crate) next: Lock,
    /// The current contents of the files to change, by their paths.
    pub(crate) before: BTreeMap<String, String>,
}

/// Compares a plan with the tree. With `overwrite`, manual edits are discarded.
pub(crate) fn change_set(
    tree: &Tree,
    plan: &Plan,
    lock: &Lock,
    waivers: &Waivers,
    overwrite: bool,
) -> Result<ChangeSet> {
    let existing = existing(tree, plan, lock)?;
    let state = |path: &str| {
        plan.files
            .get(path)
            .map(|planned| plan::state(planned, lock.files.get(path), existing.get(path).map(String::as_str)))
    };
    let contents = plan.contents(&tree.root, |path| state(path).is_some_and(|state| state != State::Current))?;
    let mut change_set =
        ChangeSet { changes: Vec::new(), findings: Vec::new(), next: lock.clone(), before: BTreeMap::new() };
    for (path, content) in &contents {
        let (planned, current) = (&plan.files[path], existing.get(path));
        if state(path) == Some(State::Edited) && current != Some(content) && !overwrite {
            let waiver = waivers.0.get(path).filter(|_| planned.kind == Kind::Managed);
            if let Some((rule, what, help)) = objection(path, planned, lock, waiver) {
                change_set.keep_edited(rule, path, what, help, current, content);
            }
        } else {
            change_set.write(path, planned, content, current);
        }
    }
    change_set.remove_orphans(plan, lock, &existing, overwrite);
    // Scaffold files may be removed by hand. The lock forgets them.
    change_set.next.files.retain(|path, entry| {
        entry.kind != Kind::Scaffold || plan.files.contains_key(path) || existing.contains_key(path)
    });
    let current = tree.read(LOCK)?;
    if change_set.next != *lock || current.is_none() {
        change_set.change(LOCK, Some(change_set.next.text()), current.as_ref());
    }
    Ok(change_set)
}

/// Returns the current contents of the files in the plan and in the lock.
fn existing(tree: &Tree, plan: &Plan, lock: &Lock) -> Result<BTreeMap<String, String>> {
    let mut existing = BTreeMap::new();
    for path in plan.files.keys().chain(lock.files.keys()) {
        if let Some(text) = tree.read(path)? {
            existing.insert(path.clone(), text);
        }
    }
    Ok(existing)
}

/// Returns the rule, the error and the hint for an edited file, or `None` if its waiver is for this rendering.
fn objection(
    path: &str,
    planned: &Planned,
    lock: &Lock,
    waiver: Option<&Waiver>,
) -> Option<(&'static str, String, String)> {
    if let Some(waiver) = waiver {
        let what = format!("the template of a waived file has changed ({})", waiver.reason);
        let help = format!("adopt the changes that you need, then run: cargo martgen waive {path} --reason …");
        return (waiver.raw != digest::bytes(planned.raw.as_bytes())).then_some(("waiver", what, help));
    }
    let what = if lock.files.contains_key(path) {
        "a file that martgen maintains was edited by hand"
    } else {
        "a file that martgen did not write has this path"
    };
    let mut help = "cargo martgen generate --overwrite discards the edit".to_owned();
    if planned.kind == Kind::Managed {
        help.push_str(&format!("; cargo martgen waive {path} --reason … keeps it"));
    } else {
        help.push_str("; change the contract or the template instead");
    }
    Some(("edited", what.to_owned(), help))
}

impl ChangeSet {
    fn change(&mut self, path: &str, content: Option<String>, before: Option<&String>) {
        self.changes.push(Change { path: path.to_owned(), content });
        if let Some(before) = before {
            self.before.insert(path.to_owned(), before.clone());
        }
    }

    /// Adds the change of a file, if it has another content, and its entry in the lock.
    fn write(&mut self, path: &str, planned: &Planned, content: &String, current: Option<&String>) {
        if current != Some(content) {
            self.change(path, Some(content.clone()), current);
        }
        let entry = Entry {
            kind: planned.kind,
            content: digest::bytes(content.as_bytes()),
            raw: digest::bytes(planned.raw.as_bytes()),
            source: planned.source.clone(),
        };
        self.next.files.insert(path.to_owned(), entry);
    }

    /// Removes the files that the plan no longer has, except edited ones.
    fn remove_orphans(&mut self, plan: &Plan, lock: &Lock, existing: &BTreeMap<String, String>, overwrite: bool) {
        for (path, entry) in plan::orphans(plan, lock) {
            match existing.get(path) {
                Some(text) if digest::bytes(text.as_bytes()) != entry.content && !overwrite => {
                    let what = "no contract requires this file any more, but it was edited by hand";
                    let help = "remove it, or run cargo martgen generate --overwrite";
                    self.findings.push(Finding::error("orphan", Place::file(path.as_str()), what, help));
                }
                current => {
                    if current.is_some() {
                        self.change(path, None, current);
                    }
                    self.next.files.remove(path);
                }
            }
        }
    }

    /// Adds a finding for a file that is left as it is, with the difference between its rendering and its content.
    fn keep_edited(
        &mut self,
        rule: &'static str,
        path: &str,
        what: String,
        help: String,
        current: Option<&String>,
        content: &str,
    ) {
        let current = current.map(String::as_str).unwrap_or_default();
        let finding = Finding::error(rule, Place::file(path), what, help);
        self.findings.push(finding.with_diff(diff(path, content, current)));
    }

    /// Returns the changes without that of the lock.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.path != LOCK)
    }

    /// Returns `create`, `change` or `remove`.
    pub(crate) fn action(&self, change: &Change) -> &'static str {
        match (&change.content, self.before.contains_key(&change.path)) {
            (None, _) => "remove",
            (Some(_), false) => "create",
            (Some(_), true) => "change",
        }
    }

    /// Returns the difference that a change makes to its file.
    pub(crate) fn diff(&self, change: &Change) -> String {
        let before = self.before.get(&change.path).map(String::as_str).unwrap_or_default();
        diff(&change.path, before, change.content.as_deref().unwrap_or_default())
    }
}

/// Returns the unified diff of two texts.
pub(crate) fn diff(path: &str, before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after).unified_diff().header(&format!("a/{path}"), &format!("b/{path}")).to_string()
}
