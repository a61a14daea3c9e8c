//! The bare database: pgbench with the statement that a service runs, with literal values instead of parameters.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result};
use devstack::process;
use mart_chassis::db::Statement;
use tokio::process::Command;

use crate::Scale;

/// Replaces the parameters of a statement by values, each given by the parameter's name. A name that occurs for several rows has a
/// value for each; the last one is for all further rows.
pub(crate) fn with_values(statement: &Statement, values: &[(&str, &str)]) -> Result<String> {
    let mut occurrences: HashMap<&str, usize> = HashMap::new();
    let names = statement.parameters();
    let mut literals = Vec::with_capacity(names.len());
    for name in &names {
        let of_name: Vec<&str> = values.iter().filter(|(known, _)| known == name).map(|(_, value)| *value).collect();
        let occurrence = occurrences.entry(name).or_default();
        literals.push(*of_name.get(*occurrence).or(of_name.last()).with_context(|| format!("{name} has no value"))?);
        *occurrence += 1;
    }
    // Beginning with the last one, so that $1 does not match the start of $13.
    let numbered = literals.iter().enumerate().rev();
    let text = statement.sql().to_string();
    Ok(numbered.fold(text, |sql, (index, value)| sql.replace(&format!("${}", index + 1), value)))
}

/// Returns the values of the receipt and of one event with this payload. `:n` differs from run to run.
pub(crate) fn receipt_and_event<'a>(
    scope: &'a str,
    topic: &'a str,
    event_type: &'a str,
    payload: &'a str,
) -> Vec<(&'static str, &'a str)> {
    vec![
        ("receipt_row.scope", scope),
        ("receipt_row.key", "md5('key' || :n::bigint)"),
        ("receipt_row.fingerprint", "decode(repeat('ab', 32), 'hex')"),
        ("receipt_row.subject", "md5('id' || :n::bigint)"),
        ("event.id", "array[md5('event' || :n::bigint)]::uuid[]"),
        ("event.topic", topic),
        ("event.key", "array[md5('id' || :n::bigint)]"),
        ("event.event_type", event_type),
        ("event.version", "array[1]"),
        ("event.at", "array[now()]"),
        ("event.payload", payload),
        ("event.traceparent", "array['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01']"),
    ]
}

/// Sets `:n` to a number that no other run has.
pub(crate) const UNIQUE: &str = "\\set n random(1, 1000000000000000)\n";

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
