//! One command per file.

pub(crate) mod bench;
pub(crate) mod call;
pub(crate) mod demo;
pub(crate) mod dlq;
pub(crate) mod down;
pub(crate) mod events;
pub(crate) mod gateway;
pub(crate) mod invariants;
pub(crate) mod keys;
pub(crate) mod logs;
pub(crate) mod mail;
pub(crate) mod psql;
pub(crate) mod publish;
pub(crate) mod restart;
pub(crate) mod sandbox;
pub(crate) mod status;
pub(crate) mod test;
pub(crate) mod timeline;
pub(crate) mod up;
pub(crate) mod user;
pub(crate) mod watch;

use std::process::ExitCode;

use anyhow::{Context, Result};
use devstack::running::RunningStack;
use devstack::{process, root, service};
use tokio::process::Command;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that stop this process: Ctrl-C, SIGTERM, and SIGHUP of a closed terminal.
pub(crate) struct ShutdownSignals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl ShutdownSignals {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

/// Logs to standard output as JSON, until the returned guard is dropped. It never blocks: if the reader is slow, lines are lost.
pub(crate) fn log_to_stdout() -> tracing_appender::non_blocking::WorkerGuard {
    let (writer, guard) = tracing_appender::non_blocking(std::io::stdout());
    tracing_subscriber::fmt().json().flatten_event(true).with_writer(writer).init();
    guard
}

/// Builds and runs a program of the workspace that inspects the running mart.
async fn run_inspector(name: &str, arguments: &[&str]) -> Result<ExitCode> {
    // Fail before the build if no mart is running.
    RunningStack::read()?;
    let programs = service::programs(false, &[name.to_owned()]).await?;
    let program = programs.get(name).with_context(|| format!("the workspace has no program {name:?}"))?;
    let passed = process::show(Command::new(program).args(arguments).current_dir(root())).await?.success();
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
