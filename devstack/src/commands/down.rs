//! `./mart down`.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use devstack::running::RunningStack;
use devstack::{outln, state};
use rustix::process::{Pid, Signal, kill_process};

/// Stop the running mart from another terminal. The data is kept.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Also delete all data: databases, topics, mails, keys and logs. Asks for confirmation, unless --yes is given.
    #[arg(long)]
    wipe: bool,
}

pub(crate) async fn run(arguments: &Arguments, yes: bool) -> Result<ExitCode> {
    if arguments.wipe && !yes && !confirmed()? {
        outln!("nothing was deleted");
        return Ok(ExitCode::FAILURE);
    }
    if let Ok(running) = RunningStack::read() {
        send_signal(running.pid, Signal::TERM);
        while devstack::running::lock()?.is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        outln!("stopped");
    } else {
        outln!("the mart was not running");
    }
    wait_for_leftovers().await;
    if arguments.wipe {
        for name in ["postgres", "kafka", "mail", "demo-data", "logs", "keys"] {
            let path = state().join(name);
            if path.exists() {
                std::fs::remove_dir_all(&path).with_context(|| format!("cannot delete {}", path.display()))?;
            }
        }
        for name in ["secrets.json", "ports.json"] {
            let path = state().join(name);
            if path.exists() {
                std::fs::remove_file(path)?;
            }
        }
        outln!("all data is deleted; the fetched tools stay");
    }
    Ok(ExitCode::SUCCESS)
}

fn confirmed() -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        eprintln!("--wipe deletes all data and has to be confirmed: without a terminal, add --yes");
        return Ok(false);
    }
    write!(std::io::stdout(), "Delete all databases, topics, mails, keys and logs of this clone? [y/N] ")?;
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}

fn send_signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // An error means that the process has just ended.
        kill_process(pid, signal).ok();
    }
}

/// Waits for the processes of this clone's stack to end, and kills those that are still running after 5 s. Servers whose parent
/// was killed need a moment to end.
pub(crate) async fn wait_for_leftovers() {
    for round in 0..100 {
        let left = leftovers();
        if left.is_empty() {
            return;
        }
        if round == 50 {
            for pid in left {
                send_signal(pid, Signal::KILL);
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Returns the processes that work on this clone's data: their command line names its folder, or, as with PostgreSQL's child
/// processes, it is their working directory.
fn leftovers() -> Vec<u32> {
    let folders = ["postgres", "kafka", "mail", "bin"].map(|name| state().join(name).display().to_string());
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let proc = Path::new("/proc").join(pid.to_string());
        let command = std::fs::read(proc.join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).into_owned();
        let cwd = std::fs::read_link(proc.join("cwd")).map(|path| path.display().to_string()).unwrap_or_default();
        folders.iter().any(|folder| command.contains(&format!("{folder}/")) || cwd.starts_with(folder.as_str()))
    })
    .collect()
}
