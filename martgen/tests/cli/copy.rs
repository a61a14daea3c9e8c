//! A copy of the parts of this repository that martgen reads, in which tests run the program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use tempfile::TempDir;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_martgen");

/// A temporary copy of the tree.
pub(crate) struct Copy {
    _folder: TempDir,
    pub(crate) root: PathBuf,
}

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Run {
    /// The exit code; `None` if the program was killed.
    pub(crate) code: Option<i32>,
    /// The standard output, followed by the standard error.
    pub(crate) output: String,
}

/// Returns the top folder of this repository.
pub(crate) fn repository() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.parent().expect("martgen is in the repository").to_owned()
}

impl Copy {
    /// Copies the tree into a folder whose name has a space, without git.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("a mart");
        let parts = [
            "proto/mart",
            "proto/google",
            "template",
            "chassis/tests/shelf",
            "services",
            "kong",
            "compose",
            "docs/api",
        ];
        for part in parts {
            copy(&repository().join(part), &root.join(part));
        }
        std::fs::create_dir_all(root.join("kernel")).expect("created");
        for file in ["martgen.toml", "martgen.lock", "rustfmt.toml", "Cargo.toml", "Cargo.lock", "kernel/Cargo.toml"] {
            std::fs::copy(repository().join(file), root.join(file)).expect("copied");
        }
        Self { _folder: folder, root }
    }

    /// Runs the program in the top folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        run(Command::new(PROGRAM).args(arguments).current_dir(&self.root))
    }

    /// Runs the program in a folder below the top.
    pub(crate) fn run_in(&self, folder: &str, arguments: &[&str]) -> Run {
        run(Command::new(PROGRAM).args(arguments).current_dir(self.root.join(folder)))
    }

    /// Runs the program and kills it at its n-th kill point.
    pub(crate) fn run_killed_at(&self, step: usize, arguments: &[&str]) -> Run {
        run(Command::new(PROGRAM).args(arguments).current_dir(&self.root).env("MARTGEN_KILL_AT", step.to_string()))
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).expect("readable")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        std::fs::write(path, text).expect("written");
    }

    /// Replaces a text that occurs exactly once.
    pub(crate) fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {path}");
        self.write(path, &text.replace(from, to));
    }

    /// Returns every file with its content and modification time, except those in `.mart`.
    pub(crate) fn files(&self) -> BTreeMap<String, (String, SystemTime)> {
        let mut found = BTreeMap::new();
        collect(&self.root, &self.root, &mut found);
        found
    }

    /// Returns every file with its content.
    pub(crate) fn contents(&self) -> BTreeMap<String, String> {
        self.files().into_iter().map(|(path, (text, _))| (path, text)).collect()
    }
}

fn run(command: &mut Command) -> Run {
    let done = command.output().expect("it runs");
    let output = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    Run { code: done.status.code(), output }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("created");
    for entry in std::fs::read_dir(from).expect("readable").flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(path, target).expect("copied");
        }
    }
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<String, (String, SystemTime)>) {
    for entry in std::fs::read_dir(folder).expect("readable").flatten() {
        let path = entry.path();
        let name = path.strip_prefix(root).expect("below the root").display().to_string();
        if name == ".mart" {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            let changed = entry.metadata().and_then(|found| found.modified()).expect("a time");
            found.insert(name, (std::fs::read_to_string(&path).expect("text"), changed));
        }
    }
}
