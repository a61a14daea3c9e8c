//! Processes that never outlive the one that started them.
//!
//! Each has a process group of its own, so that a Ctrl-C at the terminal reaches only us and we decide the order of
//! stopping, and a parent-death signal, so that nothing is left even when we are killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, wait};
use tokio::process::{Child, Command};

/// A server or a service that runs.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    /// What asks it to stop and to finish.
    polite: Signal,
}

impl Process {
    /// Starts a program with its output in a log file.
    ///
    /// `polite` is the signal that asks it to stop and finish; it is sent too when this process dies.
    pub fn start(
        name: &str,
        mut command: Vec<String>,
        envs: &[(String, String)],
        log: &Path,
        polite: Signal,
    ) -> Result<Self> {
        let signal = match polite {
            Signal::INT => "INT",
            _ => "TERM",
        };
        let mut words = vec!["--pdeathsig".to_owned(), signal.to_owned(), "--".to_owned()];
        // Later options of a setpriv that the command brings itself go in front of it.
        if command.first().is_some_and(|word| word == "setpriv") {
            command.remove(0);
            words.truncate(2);
        }
        words.extend(command);
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let out = File::create(log).with_context(|| format!("{} can't be written", log.display()))?;
        let child = Command::new("setpriv")
            .args(words)
            .envs(envs.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name} could not be started (is util-linux's setpriv there?)"))?;
        Ok(Self { name: name.to_owned(), child, log: log.to_owned(), polite })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its id; `None` when it has ended.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for it to end by itself.
    pub async fn wait(&mut self) -> Option<ExitStatus> {
        self.child.wait().await.ok()
    }

    /// Its output so far.
    pub fn output(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The last lines of its output, for an error.
    pub fn last_lines(&self) -> String {
        let output = self.output();
        let lines: Vec<&str> = output.lines().rev().take(20).collect();
        lines.into_iter().rev().map(|line| format!("    {line}\n")).collect()
    }

    /// Waits until `ready` answers true; an error with the last lines when it ends before or takes too long.
    pub async fn until<F: Future<Output = bool>>(&mut self, within: Duration, ready: impl Fn() -> F) -> Result<()> {
        let deadline = tokio::time::Instant::now() + within;
        loop {
            if let Some(status) = self.ended() {
                bail!(
                    "{} ended as it started ({status}). Its last lines, of {}:\n{}",
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
                    "{} was not ready within {within:?}. Its last lines, of {}:\n{}",
                    self.name,
                    self.log.display(),
                    self.last_lines()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until an address of its own answers with success.
    pub async fn until_answers(&mut self, url: &str) -> Result<()> {
        let client = crate::http::client();
        let ready = || async { client.get(url).send().await.is_ok_and(|answer| answer.status().is_success()) };
        self.until(Duration::from_mins(2), ready).await
    }

    /// Sends a signal to it alone.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            // It may have ended in this moment, which is as well.
            kill_process(pid, signal).ok();
        }
    }

    /// Asks it to stop and waits; what does not stop within the time is killed. Returns how it ended.
    pub async fn stop(mut self, within: Duration) -> Option<ExitStatus> {
        self.signal(self.polite);
        let ended = tokio::time::timeout(within, self.child.wait()).await;
        match ended {
            Ok(status) => status.ok(),
            Err(_) => self.kill().await,
        }
    }

    /// Kills it and all that it started, with SIGKILL.
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

/// Waits until every child of this process has ended, those that were killed and dropped too; gives up after some seconds.
///
/// A process that is being killed has no command line any more while its ports are still open: only its end, seen by its
/// parent, says that they are closed.
pub async fn all_ended() {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while tokio::time::Instant::now() < deadline {
        match wait(WaitOptions::NOHANG) {
            Err(_) => return,
            Ok(Some(_)) => {}
            Ok(None) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// A group that is killed as a whole when its future is dropped.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        let pid = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            kill_process_group(pid, Signal::KILL).ok();
        }
    }
}

/// Runs a command to its end; its output is shown only when it fails.
pub async fn run(command: &mut Command) -> Result<()> {
    output(command).await.map(|_| ())
}

/// Runs a command to its end and gives its standard output.
pub async fn output(command: &mut Command) -> Result<String> {
    let told = format!("{:?}", command.as_std());
    let mut command = mortal(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut group = Group(command.spawn().with_context(|| format!("{told} could not be started"))?);
    let (out, err) = (group.0.stdout.take(), group.0.stderr.take());
    let (out, err, status) = tokio::join!(read(out), read(err), group.0.wait());
    let status = status?;
    if !status.success() {
        bail!("{told} failed ({status}):\n{out}{err}");
    }
    Ok(out)
}

/// Runs a build to its end: what it says to people goes to our terminal, and what it prints for us is given back.
pub async fn build(command: &mut Command) -> Result<String> {
    let told = format!("{:?}", command.as_std());
    let mut command = mortal(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
    let mut group = Group(command.spawn().with_context(|| format!("{told} could not be started"))?);
    let out = group.0.stdout.take();
    let (out, status) = tokio::join!(read(out), group.0.wait());
    if !status?.success() {
        bail!("the build failed; mend what the compiler says above");
    }
    Ok(out)
}

/// Runs a command to its end with its output on our terminal.
pub async fn show(command: &mut Command) -> Result<ExitStatus> {
    let told = format!("{:?}", command.as_std());
    let mut command = mortal(command);
    let child = command.stdin(Stdio::null()).process_group(0).spawn();
    let mut group = Group(child.with_context(|| format!("{told} could not be started"))?);
    Ok(group.0.wait().await?)
}

/// Runs a command to its end with all that it says in a file.
pub async fn logged(command: &mut Command, log: &File) -> Result<ExitStatus> {
    let told = format!("{:?}", command.as_std());
    let mut command = mortal(command);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?).process_group(0);
    let mut group = Group(command.spawn().with_context(|| format!("{told} could not be started"))?);
    Ok(group.0.wait().await?)
}

/// The same command with a parent-death signal.
fn mortal(command: &Command) -> Command {
    toolchain::mortal(command.as_std()).into()
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
