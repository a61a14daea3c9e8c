//! The bare database: pgbench with the very statement that a service runs, its parameters written in.

use std::path::Path;

use anyhow::{Context, Result};
use devstack::process;
use tokio::process::Command;

use crate::Scale;

/// Writes values in for `$1`, `$2` and so on, the last first so that `$1` does not match in `$13`.
pub(crate) fn with_values(statement: &str, values: &[&str]) -> String {
    let numbered = values.iter().enumerate().rev();
    numbered.fold(statement.to_owned(), |sql, (index, value)| sql.replace(&format!("${}", index + 1), value))
}

/// Runs a script of pgbench for a round and gives its transactions per second.
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
    let told = process::output(command.arg(&file).arg(url)).await;
    std::fs::remove_file(&file)?;
    let told = told?;
    let line = told.lines().find_map(|line| line.strip_prefix("tps = ")).context("pgbench tells its rate")?;
    Ok(line.split(' ').next().unwrap_or_default().parse()?)
}
