//! Remembers a clean check: while no file has changed since, the next one says the same without reading them.
//!
//! What is compared are the paths, sizes and change times of all files of the tree and of this program. A file's change time is set
//! by the system and by nobody else, so an edit that restores the modification time is seen, too. What is remembered stands in
//! `.mart/`, which git does not know: a fresh clone is always checked.

use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::digest;
use crate::tree::Tree;

/// The state of a tree at one moment.
#[derive(Debug)]
pub(crate) struct Unchanged {
    file: PathBuf,
    state: String,
}

impl Unchanged {
    /// The state now; `None` if the tree has no `.mart/`, or can't be read.
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

    /// What the last clean check said, if this is the state that it saw.
    pub(crate) fn said(&self) -> Option<String> {
        let text = std::fs::read_to_string(&self.file).ok()?;
        let (state, said) = text.split_once('\n')?;
        (state == self.state).then(|| said.to_owned())
    }

    /// Remembers what a clean check of this state said. It is no loss if that fails.
    pub(crate) fn remember(&self, said: &str) {
        std::fs::write(&self.file, format!("{}\n{said}", self.state)).ok();
    }
}

fn describe(path: &Path, files: &mut String) -> Option<()> {
    let found = path.symlink_metadata().ok()?;
    let (size, seconds, nanos) = (found.len(), found.ctime(), found.ctime_nsec());
    writeln!(files, "{} {size} {seconds}.{nanos}", path.display()).ok()
}

/// All files below a folder, but for hidden ones and what was built.
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
    fn a_file_that_changed_and_kept_its_time_and_size_is_seen() {
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
        // Clocks of file systems tick some hundred times a second: the first change may be of the tick that was seen before.
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
