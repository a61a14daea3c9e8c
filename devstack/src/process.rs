//! Child processes that never outlive this process.
//!
//! Each has its own process group, so that Ctrl-C at the terminal reaches only this process, which stops its children in order.
//! Each also has a parent-death signal, so that none is left if this process is killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, wait};
use tokio::process::{Child, Command};

/// A running server or service.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    /// The signal that shuts the process down gracefully.
    stop_signal: Signal,
}

impl Process {
    /// Starts a program with its output in a log file.
    ///
    /// `stop_signal` shuts the program down gracefully. The kernel also sends it if this process dies.
    pub fn start(
        name: &str,
        mut command: Vec<String>,
        envs: &[(String, String)],
        log: &Path,
        stop_signal: Signal,
    ) -> Result<Self> {
        let signal = match stop_signal {
            Signal::INT => "INT",
            _ => "TERM",
        };
        let mut words = vec!["--pdeathsig".to_owned(), signal.to_owned(), "--".to_owned()];
        // If the command is itself a setpriv, the two are merged, because only one can set the parent-death signal.
        if command.first().is_some_and(|word| word == "setpriv") {
            command.remove(0);
            words.truncate(2);
        }
        words.extend(command);
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let out = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = Command::new("setpriv")
            .args(words)
            .envs(envs.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name} (is setpriv of util-linux installed?)"))?;
        Ok(Self { name: name.to_owned(), child, log: log.to_owned(), stop_signal })
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the process id, or `None` if the process has ended.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Returns the exit status if the process has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for the process to end on its own.
    pub async fn wait(&mut self) -> Option<ExitStatus> {
        self.child.wait().await.ok()
    }

    /// Returns the output so far.
    pub fn output(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Returns the last 20 lines of the output, for an error message.
    pub fn last_lines(&self) -> String {
        let output = self.output();
        let lines: Vec<&str> = output.lines().rev().take(20).collect();
        lines.into_iter().rev().map(|line| format!("    {line}\n")).collect()
    }

    /// Waits until `ready` returns true. Returns an error with the last lines of the output if the process ends or takes too long.
    pub async fn wait_until<F: Future<Output = bool>>(
        &mut self,
        within: Duration,
        ready: impl Fn() -> F,
    ) -> Result<()> {
        let deadline = tokio::time::Instant::now() + within;
        loop {
            if let Some(status) = self.ended() {
                bail!(
                    "{} exited while it was starting ({status}). The last lines of {}:\n{}",
                    self.name,
                    self.log.display(),
                    self.last_lines()
                );
            }
            if ready().await {
                return Ok(());
            }
            if tokio::time::Instant::now() > deadline {
                bail!(
                    "{} was not ready within {within:?}. The last lines of {}:\n{}",
                    self.name,
                    self.log.display(),
                    self.last_lines()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until a URL of the process returns a success status.
    pub async fn wait_until_available(&mut self, url: &str) -> Result<()> {
        let client = crate::http::client();
        let ready = || async { client.get(url).send().await.is_ok_and(|response| response.status().is_success()) };
        self.wait_until(Duration::from_mins(2), ready).await
    }

    /// Sends a signal to the process, without its children.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            // An error means that the process has just ended.
            kill_process(pid, signal).ok();
        }
    }

    /// Shuts the process down gracefully, or kills it if it has not ended in time. Returns the exit status.
    pub async fn stop(mut self, within: Duration) -> Option<ExitStatus> {
        self.signal(self.stop_signal);
        let ended = tokio::time::timeout(within, self.child.wait()).await;
        match ended {
            Ok(status) => status.ok(),
            Err(_) => self.kill().await,
        }
    }

    /// Kills the process and its children with SIGKILL. Returns the exit status.
    pub async fn kill(&mut self) -> Option<ExitStatus> {
        if let Some(pid) = self.pid() {
            kill_process_group(pid, Signal::KILL).ok();
        }
        self.child.wait().await.ok()
    }

    fn pid(&self) -> Option<Pid> {
        self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            kill_process_group(pid, Signal::KILL).ok();
        }
    }
}

/// Waits at most 10 s until every child of this process has ended, including those that were killed by a drop.
///
/// While a process is being killed, its command line is already gone, but its ports are still open. Only its end, which its parent
/// can wait for, guarantees that they are closed.
pub async fn wait_for_children() {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while tokio::time::Instant::now() < deadline {
        match wait(WaitOptions::NOHANG) {
            Err(_) => return,
            Ok(Some(_)) => {}
            Ok(None) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// A child whose whole process group is killed when this is dropped.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        let pid = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            kill_process_group(pid, Signal::KILL).ok();
        }
    }
}

/// Runs a command to its end. Its output is part of the error if it fails, and discarded otherwise.
pub async fn run(command: &mut Command) -> Result<()> {
    output(command).await.map(|_| ())
}

/// Runs a command to its end and returns its standard output.
pub async fn output(command: &mut Command) -> Result<String> {
    let line = display(command);
    let mut command = with_death_signal(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut group = Group(command.spawn().with_context(|| format!("cannot start {line}"))?);
    let (out, err) = (group.0.stdout.take(), group.0.stderr.take());
    let (out, err, status) = tokio::join!(read(out), read(err), group.0.wait());
    let status = status?;
    if !status.success() {
        bail!("{line} failed ({status}):\n{out}{err}");
    }
    Ok(out)
}

/// Runs a build to its end. Returns its standard output; standard error goes to the terminal.
pub async fn build(command: &mut Command) -> Result<String> {
    let line = display(command);
    let mut command = with_death_signal(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
    let mut group = Group(command.spawn().with_context(|| format!("cannot start {line}"))?);
    let out = group.0.stdout.take();
    let (out, status) = tokio::join!(read(out), group.0.wait());
    if !status?.success() {
        bail!("the build failed: fix the errors above");
    }
    Ok(out)
}

/// Runs a command to its end with its output on the terminal.
pub async fn show(command: &mut Command) -> Result<ExitStatus> {
    let line = display(command);
    let mut command = with_death_signal(command);
    let child = command.stdin(Stdio::null()).process_group(0).spawn();
    let mut group = Group(child.with_context(|| format!("cannot start {line}"))?);
    Ok(group.0.wait().await?)
}

/// Runs a command to its end with its output in a file.
pub async fn run_logged(command: &mut Command, log: &File) -> Result<ExitStatus> {
    let line = display(command);
    let mut command = with_death_signal(command);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?).process_group(0);
    let mut group = Group(command.spawn().with_context(|| format!("cannot start {line}"))?);
    Ok(group.0.wait().await?)
}

/// Returns the program and its arguments, without the environment, which holds secrets.
fn display(command: &Command) -> String {
    let command = command.as_std();
    let parts = std::iter::once(command.get_program()).chain(command.get_args());
    parts.map(|part| part.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Returns the same command with a parent-death signal.
fn with_death_signal(command: &Command) -> Command {
    toolchain::with_death_signal(command.as_std()).into()
}

async fn read(from: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut from) = from
        && tokio::io::AsyncReadExt::read_to_end(&mut from, &mut bytes).await.is_err()
    {
        return String::new();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
