//! `./mart down`.

use devstack::outln;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use devstack::stack::Running;
use devstack::state;
use rustix::process::{Pid, Signal, kill_process};

/// Stop a running mart from another terminal. The data is kept.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Remove the data too: databases, topics, keys and logs. Asks before it does.
    #[arg(long)]
    wipe: bool,
}

pub(crate) async fn run(arguments: &Arguments, yes: bool) -> Result<ExitCode> {
    if arguments.wipe && !yes && !confirmed()? {
        outln!("nothing was changed");
        return Ok(ExitCode::FAILURE);
    }
    if let Ok(running) = Running::read() {
        signal(running.pid, Signal::TERM);
        while devstack::stack::lock()?.is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        outln!("stopped");
    } else {
        outln!("nothing was running");
    }
    wait_for_leftovers().await;
    if arguments.wipe {
        for name in ["postgres", "kafka", "mail", "seeded", "logs", "keys"] {
            let path = state().join(name);
            if path.exists() {
                std::fs::remove_dir_all(&path).with_context(|| format!("{} could not be removed", path.display()))?;
            }
        }
        for name in ["secrets.json", "ports.json"] {
            let path = state().join(name);
            if path.exists() {
                std::fs::remove_file(path)?;
            }
        }
        outln!("the data is gone; the fetched parts stay");
    }
    Ok(ExitCode::SUCCESS)
}

fn confirmed() -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        eprintln!("--wipe removes all data and asks first; without a terminal say --yes");
        return Ok(false);
    }
    write!(std::io::stdout(), "Remove all databases, topics, keys and logs of this clone? [y/N] ")?;
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended in this moment, which is as well.
        kill_process(pid, signal).ok();
    }
}

/// Waits for processes of this clone's stack to end, and kills what does not: servers whose parent was killed take a moment.
pub(crate) async fn wait_for_leftovers() {
    for round in 0..100 {
        let left = leftovers();
        if left.is_empty() {
            return;
        }
        if round == 50 {
            for pid in left {
                signal(pid, Signal::KILL);
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Processes that work on this clone's data: their command lines name it, or they are PostgreSQL's own and stand in it.
fn leftovers() -> Vec<u32> {
    let folders = ["postgres", "kafka", "mail", "bin"].map(|name| state().join(name).display().to_string());
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let proc = Path::new("/proc").join(pid.to_string());
        let told = std::fs::read(proc.join("cmdline")).unwrap_or_default();
        let told = String::from_utf8_lossy(&told).into_owned();
        let stands = std::fs::read_link(proc.join("cwd")).map(|path| path.display().to_string()).unwrap_or_default();
        folders.iter().any(|folder| told.contains(&format!("{folder}/")) || stands.starts_with(folder.as_str()))
    })
    .collect()
}
