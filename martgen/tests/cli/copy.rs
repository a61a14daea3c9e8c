//! A copy of the parts of this repository that martgen looks at, and the program run in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use tempfile::TempDir;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_martgen");

/// A tree of its own.
pub(crate) struct Copy {
    _folder: TempDir,
    pub(crate) root: PathBuf,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    /// `None` where it was killed.
    pub(crate) code: Option<i32>,
    /// What it told, on both ways.
    pub(crate) told: String,
}

/// The top of this repository.
pub(crate) fn repository() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.parent().expect("it stands in the repository").to_owned()
}

impl Copy {
    /// A copy as it is committed, below a folder with a space in its name and without git.
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
        std::fs::create_dir_all(root.join("kernel")).expect("made");
        for file in ["martgen.toml", "martgen.lock", "rustfmt.toml", "Cargo.toml", "Cargo.lock", "kernel/Cargo.toml"] {
            std::fs::copy(repository().join(file), root.join(file)).expect("copied");
        }
        Self { _folder: folder, root }
    }

    /// Runs the program in the top folder.
    pub(crate) fn run(&self, words: &[&str]) -> Run {
        run(Command::new(PROGRAM).args(words).current_dir(&self.root))
    }

    /// Runs the program in a folder below the top.
    pub(crate) fn run_in(&self, folder: &str, words: &[&str]) -> Run {
        run(Command::new(PROGRAM).args(words).current_dir(self.root.join(folder)))
    }

    /// Runs the program and kills it at its n-th step.
    pub(crate) fn run_killed_at(&self, step: usize, words: &[&str]) -> Run {
        run(Command::new(PROGRAM).args(words).current_dir(&self.root).env("MARTGEN_KILL_AT", step.to_string()))
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).expect("readable")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    /// Replaces a text that is there once.
    pub(crate) fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {path}");
        self.write(path, &text.replace(from, to));
    }

    /// Every file with its content and the time of its last change; those of the journal's folder are left out.
    pub(crate) fn files(&self) -> BTreeMap<String, (String, SystemTime)> {
        let mut found = BTreeMap::new();
        collect(&self.root, &self.root, &mut found);
        found
    }

    /// Every file with its content.
    pub(crate) fn contents(&self) -> BTreeMap<String, String> {
        self.files().into_iter().map(|(path, (text, _))| (path, text)).collect()
    }
}

fn run(command: &mut Command) -> Run {
    let done = command.output().expect("it runs");
    let told = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    Run { code: done.status.code(), told }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
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
