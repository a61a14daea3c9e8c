//! How a run went: a table for people, JUnit for machines.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use devstack::{root, say};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Counts, Part};

/// How many of its last lines a part that failed shows in JUnit.
const LINES: usize = 60;

/// A part that has ended.
pub(super) struct Done {
    pub(super) name: String,
    pub(super) counts: Counts,
    pub(super) took: Duration,
    budget: Duration,
    /// Its last lines.
    told: String,
}

impl Done {
    pub(super) fn new(part: &Part, counts: Counts, took: Duration, log: &str) -> Self {
        let lines: Vec<&str> = log.lines().rev().take(LINES).collect();
        let told = lines.into_iter().rev().collect::<Vec<_>>().join("\n");
        Self { name: part.name.clone(), counts, took, budget: Duration::from_secs(part.budget), told }
    }
}

/// Prints the table of parts: which of them took longer than their budget, and by how much.
pub(super) fn table(all: &[Done]) {
    say!("\n{:<14}{:>8}{:>8}{:>10}{:>9}", "part", "passed", "failed", "seconds", "budget");
    for done in all {
        let over = done.took.saturating_sub(done.budget).as_secs();
        let over = if over > 0 { format!("  {over} s over its budget") } else { String::new() };
        let (Counts { passed, failed, .. }, took, budget) =
            (done.counts, done.took.as_secs_f64(), done.budget.as_secs());
        say!("{:<14}{passed:>8}{failed:>8}{took:>10.1}{budget:>9}{over}", done.name);
    }
}

/// Writes `target/test/junit.xml`: a suite for each part.
pub(super) fn junit(all: &[Done], took: Duration) -> Result<PathBuf> {
    let mut report = Report::new("./mart test");
    report.set_time(took);
    for done in all {
        let mut status = TestCaseStatus::success();
        if done.counts.failed > 0 {
            status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(format!("{} failed", done.counts.failed)).set_description(done.told.clone());
        }
        let mut case = TestCase::new(done.name.clone(), status);
        case.set_time(done.took).set_classname("mart");
        case.add_property(("passed", done.counts.passed.to_string().as_str()));
        case.add_property(("budget", done.budget.as_secs().to_string().as_str()));
        let mut suite = TestSuite::new(done.name.clone());
        suite.set_time(done.took).add_test_case(case);
        report.add_test_suite(suite);
    }
    let path = root().join("target/test/junit.xml");
    std::fs::write(&path, report.to_string()?)?;
    Ok(path)
}
