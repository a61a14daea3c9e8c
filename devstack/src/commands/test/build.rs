//! Builds the test programs, and runs them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Result;
use devstack::{process, root};
use tokio::process::Command;

use super::Counts;
use super::log::Log;

/// A test program, built.
pub(super) struct Built {
    pub(super) package: String,
    /// Its name: `features` runs a service's features.
    pub(super) target: String,
    folder: PathBuf,
    program: PathBuf,
}

/// Builds the tests of some packages, or of all, with every program that they start.
///
/// With the devstack and the runner of features among them, the dependencies have the features that the whole workspace asks of
/// them, whatever else is chosen: each is built once.
pub(super) async fn build(packages: Option<&BTreeSet<&str>>) -> Result<Vec<Built>> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root()).args(["test", "--all-features", "--no-run", "--message-format=json-render-diagnostics"]);
    match packages {
        None => {
            cargo.arg("--workspace");
        }
        Some(packages) => {
            let mut packages = packages.clone();
            packages.extend(["devstack", "features"]);
            if packages.contains("mart-features") {
                packages.extend(["payment-service", "user-service", "notification-service"]);
            }
            cargo.args(packages.iter().flat_map(|package| ["--package", package]));
        }
    }
    let told = process::build(&mut cargo).await?;
    let built = |line: &str| -> Option<Built> {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let program = PathBuf::from(message["executable"].as_str()?);
        if message["profile"]["test"] != true && message["target"]["kind"][0] != "test" {
            return None;
        }
        let manifest = Path::new(message["manifest_path"].as_str()?);
        let text = std::fs::read_to_string(manifest).ok()?;
        let package = text.lines().find_map(|line| line.strip_prefix("name = "))?.trim_matches('"').to_owned();
        let target = match message["target"]["kind"][0].as_str() {
            Some("test") => message["target"]["name"].as_str()?.to_owned(),
            _ => String::new(),
        };
        Some(Built { package, target, folder: manifest.parent()?.to_owned(), program })
    };
    Ok(told.lines().filter_map(built).collect())
}

impl Built {
    /// Runs it, and counts by the lines with results that it prints.
    pub(super) async fn run(&self, env: &[(&str, &str)], filter: &[String], log: &Log) -> Result<Counts> {
        let mut command = Command::new(&self.program);
        command.args(filter).current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder);
        command.envs(env.iter().copied());
        let start = log.length()?;
        let ended = log.run(&mut command).await?;
        let mut counts = Counts::default();
        for rest in log.since(start)?.lines().filter_map(|line| line.strip_prefix("test result: ")) {
            let number = |what: &str| -> usize {
                let before = rest.split(&format!(" {what}")).next().and_then(|text| text.rsplit(' ').next());
                before.and_then(|number| number.parse().ok()).unwrap_or(0)
            };
            counts.add(Counts { passed: number("passed"), failed: number("failed"), skipped: number("ignored") });
        }
        // A program that died said nothing of its failures.
        if !ended.success() && counts.failed == 0 {
            log.say(&format!("{} ended badly: {ended}", self.program.display()))?;
            counts.failed = 1;
        }
        Ok(counts)
    }
}
