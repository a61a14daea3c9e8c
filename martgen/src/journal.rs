//! Writes all of a set of changes or none of it.
//!
//! Every new content is written beside the tree first, then a journal that names each change; the journal's rename is the
//! moment from which on the changes will be made, by this run or, if it is killed, by the next one. Before it nothing in the
//! tree has changed. A change is one rename or one removal, so that doing it again does no harm. Where a change can't be
//! made after all, those before it are undone from copies.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::tree::Tree;

/// Where the journal and what it leads to is; git ignores it.
const FOLDER: &str = ".mart/martgen";

/// A file as it shall be; `None` for one that shall not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// From the top of the tree.
    pub(crate) path: String,
    pub(crate) content: Option<String>,
}

/// A change that is decided.
#[derive(Debug, Serialize, Deserialize)]
struct Step {
    path: String,
    /// The number of the file with the new content; `None` where the file is removed.
    staged: Option<usize>,
}

/// The right to write, which one run at a time has.
#[derive(Debug)]
pub(crate) struct Journal<'a> {
    tree: &'a Tree,
    _lock: File,
}

impl<'a> Journal<'a> {
    /// Takes the right to write and finishes what a run that was killed has begun.
    pub(crate) fn open(tree: &'a Tree) -> Result<Self> {
        let folder = tree.path(FOLDER);
        std::fs::create_dir_all(&folder).map_err(|error| {
            Failure::refused(format!("{} can't be made ({error})", folder.display()), "make the tree writable")
        })?;
        let lock = File::create(folder.join("lock")).map_err(|error| {
            Failure::refused(format!("{} can't be written ({error})", folder.display()), "make the tree writable")
        })?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(Failure::refused("another martgen is writing in this tree", "wait for it to end"));
        }
        let journal = Self { tree, _lock: lock };
        if journal.decided().is_file() {
            journal.finish()?;
        }
        journal.clean()?;
        Ok(journal)
    }

    /// Whether a run was killed in the middle of its changes.
    pub(crate) fn interrupted(tree: &Tree) -> bool {
        tree.path(FOLDER).join("journal").is_file()
    }

    /// Makes all changes, or none and says why.
    pub(crate) fn write(&self, changes: &[Change]) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        for change in changes {
            self.writable(&change.path)?;
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
                std::fs::copy(&target, self.kept(number))
                    .with_context(|| format!("{} can't be copied", change.path))?;
            }
            steps.push(Step { path: change.path.clone(), staged });
        }
        let text = serde_json::to_string(&steps)?;
        let draft = self.folder().join("journal.draft");
        durable(&draft, text.as_bytes())?;
        kill_point();
        std::fs::rename(&draft, self.decided())?;
        kill_point();
        if let Err(error) = self.finish() {
            self.undo(&steps);
            self.clean()?;
            return Err(error);
        }
        self.clean()
    }

    /// Makes the changes that the journal names; those that were made already are seen by their staged file being gone.
    fn finish(&self) -> Result<()> {
        let text = std::fs::read_to_string(self.decided()).context("the journal can't be read")?;
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
                    "make the file and its folder writable and run it again",
                )
            })?;
            kill_point();
        }
        std::fs::remove_file(self.decided())?;
        kill_point();
        Ok(())
    }

    /// Puts back what was there before.
    fn undo(&self, steps: &[Step]) {
        for (number, step) in steps.iter().enumerate() {
            let target = self.tree.path(&step.path);
            let made = step.staged.is_none_or(|number| !self.staged(number).exists());
            let undone = match (made, self.kept(number).exists()) {
                (false, _) => Ok(()),
                (true, true) => std::fs::copy(self.kept(number), &target).map(|_| ()),
                (true, false) => remove(&target, &self.tree.root),
            };
            if let Err(error) = undone {
                anstream::eprintln!("{} could not be put back as it was ({error})", step.path);
            }
        }
        std::fs::remove_file(self.decided()).ok();
    }

    /// Removes what no change needs any more.
    fn clean(&self) -> Result<()> {
        for entry in std::fs::read_dir(self.folder())? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name != "lock" && name != "journal") {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// A file that is marked as read-only is respected, even by who could write it all the same.
    fn writable(&self, path: &str) -> Result<()> {
        let target = self.tree.path(path);
        let there = |path: &Path| std::fs::metadata(path).ok();
        let holder =
            target.ancestors().skip(1).find_map(|folder| there(folder).map(|found| (folder.to_owned(), found)));
        let locked = there(&target).filter(|found| found.permissions().readonly()).map(|_| target.clone());
        let locked =
            locked.or_else(|| holder.filter(|(_, found)| found.permissions().readonly()).map(|(folder, _)| folder));
        match locked {
            Some(locked) => Err(Failure::refused(
                format!("{} is read-only", locked.strip_prefix(&self.tree.root).unwrap_or(&locked).display()),
                "nothing was changed; make it writable and run it again",
            )),
            None => Ok(()),
        }
    }

    fn folder(&self) -> PathBuf {
        self.tree.path(FOLDER)
    }

    fn decided(&self) -> PathBuf {
        self.folder().join("journal")
    }

    fn staged(&self, number: usize) -> PathBuf {
        self.folder().join(format!("{number}.new"))
    }

    fn kept(&self, number: usize) -> PathBuf {
        self.folder().join(format!("{number}.old"))
    }
}

/// Writes a file so that it outlives a crash of the machine.
fn durable(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.with_context(|| format!("{} can't be written", path.display()))
}

/// A new content keeps the rights of the old one.
fn keep_mode(target: &Path, staged: &Path) {
    if let Ok(found) = std::fs::metadata(target) {
        std::fs::set_permissions(staged, found.permissions()).ok();
    }
}

/// Removes a file, and the folders that are empty without it.
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

/// A point at which a test kills the program: `MARTGEN_KILL_AT` counts them from 1.
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
