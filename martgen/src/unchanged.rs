//! Remembers a clean check: as long as no file changes, the next check prints the same summary without reading the files.
//!
//! The state is a digest of the paths, sizes and change times of all files of the tree and of this program. Only the system sets
//! a file's change time (ctime), so an edit that restores the modification time is detected too. The state is stored in `.mart/`,
//! which git ignores: a fresh clone is always checked.

use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::digest;
use crate::tree::Tree;

/// The state of a tree at one point in time.
#[derive(Debug)]
pub(crate) struct Unchanged {
    file: PathBuf,
    state: String,
}

impl Unchanged {
    /// Returns the current state, or `None` if the tree has no `.mart/` or can't be read.
    pub(crate) fn now(tree: &Tree) -> Option<Self> {
        let folder = tree.path(".mart");
        if !folder.is_dir() {
            return None;
        }
        let mut files = String::new();
        describe(&std::env::current_exe().ok()?, &mut files)?;
        walk(&tree.root, &mut files)?;
        Some(Self { file: folder.join("martgen-clean"), state: digest::bytes(files.as_bytes()) })
    }

    /// Returns the summary of the last clean check if it was of this state.
    pub(crate) fn summary(&self) -> Option<String> {
        let text = std::fs::read_to_string(&self.file).ok()?;
        let (state, summary) = text.split_once('\n')?;
        (state == self.state).then(|| summary.to_owned())
    }

    /// Stores the summary of a clean check of this state. Errors are ignored: the next check only takes longer.
    pub(crate) fn remember(&self, summary: &str) {
        std::fs::write(&self.file, format!("{}\n{summary}", self.state)).ok();
    }
}

fn describe(path: &Path, files: &mut String) -> Option<()> {
    let found = path.symlink_metadata().ok()?;
    let (size, seconds, nanos) = (found.len(), found.ctime(), found.ctime_nsec());
    writeln!(files, "{} {size} {seconds}.{nanos}", path.display()).ok()
}

/// Describes all files below a folder, except hidden ones and build output.
fn walk(folder: &Path, files: &mut String) -> Option<()> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    entries.sort_unstable();
    for path in entries {
        let name = path.file_name()?.to_str()?;
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() && !path.is_symlink() {
            walk(&path, files)?;
        } else {
            describe(&path, files)?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_detected_despite_equal_size_and_mtime() {
        let folder = std::env::temp_dir().join(format!("martgen-unchanged-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("a")).expect("made");
        let file = folder.join("a/b.proto");
        std::fs::write(&file, "one").expect("written");
        let state = || {
            let mut files = String::new();
            walk(&folder, &mut files).expect("read");
            files
        };
        let before = state();
        assert_eq!(before, state());
        let time = std::fs::metadata(&file).and_then(|found| found.modified()).expect("a time");
        let mut after = state();
        // File systems' clocks tick some hundred times a second: the first change may have the same change time as before.
        for _ in 0..10_000 {
            std::fs::write(&file, "two").expect("written");
            std::fs::File::options()
                .write(true)
                .open(&file)
                .and_then(|file| file.set_modified(time))
                .expect("set back");
            after = state();
            if after != before {
                break;
            }
        }
        std::fs::remove_dir_all(&folder).expect("removed");
        assert_ne!(before, after);
    }
}
