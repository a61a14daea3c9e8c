//! The bare database: pgbench with the statement that a service runs, with literal values instead of parameters.

use std::path::Path;

use anyhow::{Context, Result};
use devstack::process;
use tokio::process::Command;

use crate::Scale;

/// Replaces `$1`, `$2` and so on by values. It begins with the last one, so that `$1` does not match the start of `$13`.
pub(crate) fn with_values(statement: &str, values: &[&str]) -> String {
    let numbered = values.iter().enumerate().rev();
    numbered.fold(statement.to_owned(), |sql, (index, value)| sql.replace(&format!("${}", index + 1), value))
}

/// Runs a pgbench script for a round and returns the transactions per second.
pub(crate) async fn run(bin: &Path, url: &str, script: &str, scale: Scale) -> Result<f64> {
    let file = std::env::temp_dir().join(format!("bench-{}.sql", uuid::Uuid::new_v4()));
    std::fs::write(&file, script)?;
    let connections = scale.connections.to_string();
    let mut command = Command::new(bin.join("pgbench"));
    command.args([
        "-n",
        "-M",
        "prepared",
        "-c",
        &connections,
        "-j",
        "2",
        "-T",
        &scale.round.as_secs().to_string(),
        "-f",
    ]);
    let output = process::output(command.arg(&file).arg(url)).await;
    std::fs::remove_file(&file)?;
    let output = output?;
    let line = output.lines().find_map(|line| line.strip_prefix("tps = ")).context("pgbench printed no rate")?;
    Ok(line.split(' ').next().unwrap_or_default().parse()?)
}
