//! Builds and runs the test programs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Result;
use devstack::{process, root};
use tokio::process::Command;

use super::Counts;
use super::log::Log;

/// A built test program.
pub(super) struct TestProgram {
    pub(super) package: String,
    /// The name of the test target; empty for unit tests. `features` runs a service's scenarios.
    pub(super) target: String,
    folder: PathBuf,
    program: PathBuf,
}

/// Builds the tests of these packages, or of all with `None`, and every program that they start.
///
/// The devstack and the scenario runner are always built too: their manifests give the dependencies the features of the whole
/// workspace, so that each dependency is built once for every choice of packages.
pub(super) async fn build(packages: Option<&BTreeSet<&str>>) -> Result<Vec<TestProgram>> {
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
    let messages = process::build(&mut cargo).await?;
    let program = |line: &str| -> Option<TestProgram> {
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
        Some(TestProgram { package, target, folder: manifest.parent()?.to_owned(), program })
    };
    Ok(messages.lines().filter_map(program).collect())
}

impl TestProgram {
    /// Runs the program and counts its tests by the result lines that it prints.
    pub(super) async fn run(&self, env: &[(&str, &str)], filter: &[String], log: &Log) -> Result<Counts> {
        let mut command = Command::new(&self.program);
        command.args(filter).current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder);
        command.envs(env.iter().copied());
        let start = log.length()?;
        let ended = log.run(&mut command).await?;
        let mut counts = Counts::default();
        for rest in log.since(start)?.lines().filter_map(|line| line.strip_prefix("test result: ")) {
            let number = |name: &str| -> usize {
                let before = rest.split(&format!(" {name}")).next().and_then(|text| text.rsplit(' ').next());
                before.and_then(|number| number.parse().ok()).unwrap_or(0)
            };
            counts.add(Counts { passed: number("passed"), failed: number("failed"), skipped: number("ignored") });
        }
        // A program that crashed printed no result line.
        if !ended.success() && counts.failed == 0 {
            log.write_line(&format!("{} crashed: {ended}", self.program.display()))?;
            counts.failed = 1;
        }
        Ok(counts)
    }
}
