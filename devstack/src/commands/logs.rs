//! `./mart logs`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use devstack::{outln, state};

use super::up::readable;

/// Print the last lines of a log.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The name of a service, postgres, kafka, gateway or sandbox.
    name: String,
    /// The number of lines.
    #[arg(short = 'n', long, default_value_t = 50)]
    lines: usize,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let name = &arguments.name;
    let path = match name.as_str() {
        "postgres" | "kafka" => state().join(name).join("log"),
        service => state().join(format!("logs/{service}.log")),
    };
    let known = devstack::service::all()?.join(", ");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{name:?} has no log: use one of {known}, postgres, kafka, gateway, sandbox"))?;
    let lines: Vec<&str> = text.lines().collect();
    for line in &lines[lines.len().saturating_sub(arguments.lines)..] {
        outln!("{}", readable(line));
    }
    Ok(ExitCode::SUCCESS)
}
