//! Writes a set of changes, all or none.
//!
//! First the new contents are staged beside the tree, then a journal that lists the changes is renamed into place. This rename is
//! the commit: before it nothing in the tree has changed, and after it this run or, if it is killed, the next one makes all
//! changes. A change is one rename or one removal, so it can be repeated. If a change fails, those before it are undone from
//! copies.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::tree::Tree;

/// The folder of the journal and the staged files. git ignores it.
const FOLDER: &str = ".mart/martgen";

/// A change of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// The path from the top of the tree.
    pub(crate) path: String,
    /// The new content; `None` to remove the file.
    pub(crate) content: Option<String>,
}

/// An entry of the journal: one change.
#[derive(Debug, Serialize, Deserialize)]
struct Step {
    path: String,
    /// The number of the staged file with the new content; `None` to remove the file.
    staged: Option<usize>,
}

/// The exclusive right to write. One run at a time has it.
#[derive(Debug)]
pub(crate) struct Journal<'a> {
    tree: &'a Tree,
    _lock: File,
}

impl<'a> Journal<'a> {
    /// Acquires the right to write, and finishes the changes of a run that was killed.
    pub(crate) fn open(tree: &'a Tree) -> Result<Self> {
        let folder = tree.path(FOLDER);
        std::fs::create_dir_all(&folder).map_err(|error| {
            Failure::refused(format!("{} can't be created ({error})", folder.display()), "make the tree writable")
        })?;
        let lock = File::create(folder.join("lock")).map_err(|error| {
            Failure::refused(format!("{} can't be written ({error})", folder.display()), "make the tree writable")
        })?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(Failure::refused("another martgen is writing to this tree", "wait until it ends"));
        }
        let journal = Self { tree, _lock: lock };
        if journal.path().is_file() {
            journal.finish()?;
        }
        journal.clean()?;
        Ok(journal)
    }

    /// Returns whether a run was killed after its commit, before it had made all changes.
    pub(crate) fn interrupted(tree: &Tree) -> bool {
        tree.path(FOLDER).join("journal").is_file()
    }

    /// Makes all changes. If it returns an error, it has made none.
    pub(crate) fn write(&self, changes: &[Change]) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        for change in changes {
            self.ensure_writable(&change.path)?;
        }
        let mut steps = Vec::new();
        for (number, change) in changes.iter().enumerate() {
            let staged = match &change.content {
                Some(content) => {
                    durable(&self.staged(number), content.as_bytes())?;
                    kill_point();
                    Some(number)
                }
                None => None,
            };
            let target = self.tree.path(&change.path);
            if target.exists() {
                std::fs::copy(&target, self.backup(number))
                    .with_context(|| format!("{} can't be copied", change.path))?;
            }
            steps.push(Step { path: change.path.clone(), staged });
        }
        let text = serde_json::to_string(&steps)?;
        let draft = self.folder().join("journal.draft");
        durable(&draft, text.as_bytes())?;
        kill_point();
        std::fs::rename(&draft, self.path())?;
        kill_point();
        if let Err(error) = self.finish() {
            self.undo(&steps);
            self.clean()?;
            return Err(error);
        }
        self.clean()
    }

    /// Makes the changes that the journal lists. A change without its staged file was already made.
    fn finish(&self) -> Result<()> {
        let text = std::fs::read_to_string(self.path()).context("the journal can't be read")?;
        let steps: Vec<Step> = serde_json::from_str(&text).context("the journal is damaged")?;
        for step in &steps {
            let target = self.tree.path(&step.path);
            let done = match step.staged {
                Some(number) if self.staged(number).exists() => {
                    target.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| {
                        keep_mode(&target, &self.staged(number));
                        std::fs::rename(self.staged(number), &target)
                    })
                }
                Some(_) => Ok(()),
                None => remove(&target, &self.tree.root),
            };
            done.map_err(|error| {
                Failure::refused(
                    format!("{} can't be written ({error})", step.path),
                    "make the file and its folder writable, and run martgen again",
                )
            })?;
            kill_point();
        }
        std::fs::remove_file(self.path())?;
        kill_point();
        Ok(())
    }

    /// Restores the files as they were before the changes.
    fn undo(&self, steps: &[Step]) {
        for (number, step) in steps.iter().enumerate() {
            let target = self.tree.path(&step.path);
            let applied = step.staged.is_none_or(|number| !self.staged(number).exists());
            let undone = match (applied, self.backup(number).exists()) {
                (false, _) => Ok(()),
                (true, true) => std::fs::copy(self.backup(number), &target).map(|_| ()),
                (true, false) => remove(&target, &self.tree.root),
            };
            if let Err(error) = undone {
                anstream::eprintln!("{} could not be restored ({error})", step.path);
            }
        }
        std::fs::remove_file(self.path()).ok();
    }

    /// Removes the staged files and the backups.
    fn clean(&self) -> Result<()> {
        for entry in std::fs::read_dir(self.folder())? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name != "lock" && name != "journal") {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Refuses a file or a folder that is marked as read-only, even if the user (such as root) could write to it.
    fn ensure_writable(&self, path: &str) -> Result<()> {
        let target = self.tree.path(path);
        let metadata = |path: &Path| std::fs::metadata(path).ok();
        let parent =
            target.ancestors().skip(1).find_map(|folder| metadata(folder).map(|found| (folder.to_owned(), found)));
        let read_only = metadata(&target).filter(|found| found.permissions().readonly()).map(|_| target.clone());
        let read_only =
            read_only.or_else(|| parent.filter(|(_, found)| found.permissions().readonly()).map(|(folder, _)| folder));
        match read_only {
            Some(path) => Err(Failure::refused(
                format!("{} is read-only", path.strip_prefix(&self.tree.root).unwrap_or(&path).display()),
                "nothing was changed; make it writable and run martgen again",
            )),
            None => Ok(()),
        }
    }

    fn folder(&self) -> PathBuf {
        self.tree.path(FOLDER)
    }

    fn path(&self) -> PathBuf {
        self.folder().join("journal")
    }

    fn staged(&self, number: usize) -> PathBuf {
        self.folder().join(format!("{number}.new"))
    }

    fn backup(&self, number: usize) -> PathBuf {
        self.folder().join(format!("{number}.old"))
    }
}

/// Writes a file and syncs it, so that it survives a crash of the machine.
fn durable(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.with_context(|| format!("{} can't be written", path.display()))
}

/// Sets a staged file's permissions to those of the file that it replaces.
fn keep_mode(target: &Path, staged: &Path) {
    if let Ok(found) = std::fs::metadata(target) {
        std::fs::set_permissions(staged, found.permissions()).ok();
    }
}

/// Removes a file and the folders that become empty.
fn remove(target: &Path, root: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(target) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    for folder in target.ancestors().skip(1).take_while(|folder| *folder != root) {
        if std::fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}

/// Kills the program at a point that a test chooses. `MARTGEN_KILL_AT` is its number, counted from 1.
fn kill_point() {
    #[cfg(debug_assertions)]
    {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static PASSED: AtomicUsize = AtomicUsize::new(0);
        let passed = PASSED.fetch_add(1, Ordering::Relaxed) + 1;
        let wanted = std::env::var("MARTGEN_KILL_AT").ok().and_then(|text| text.parse().ok());
        if wanted == Some(passed) {
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).ok();
        }
    }
}
