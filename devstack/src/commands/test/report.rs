//! The report of a run: a table for people, and JUnit for machines.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use devstack::{outln, root};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Counts, Part};

/// The maximum number of lines of a failed part, after the table and in JUnit.
const MAX_LINES: usize = 80;
/// The number of lines of each failure.
const LINES_PER_FAILURE: usize = 12;

/// The result of a part.
pub(super) struct PartResult {
    pub(super) name: String,
    pub(super) counts: Counts,
    pub(super) took: Duration,
    budget: Duration,
    /// The lines of the log that report failures.
    pub(super) failures: String,
}

impl PartResult {
    pub(super) fn new(part: &Part, counts: Counts, took: Duration, log: &str) -> Self {
        let failures = if counts.failed > 0 { failures(log) } else { String::new() };
        Self { name: part.name.clone(), counts, took, budget: Duration::from_secs(part.budget), failures }
    }
}

/// Returns the lines of a log that report a failure, each with those after it and without backtraces; the last lines if
/// none does.
fn failures(log: &str) -> String {
    let frame = |line: &str| {
        let line = line.trim_start();
        let numbered = line.split_once(": ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
        numbered || line.starts_with("at /") || line.starts_with("at ./")
    };
    let mut lines: Vec<&str> = log.lines().filter(|line| !frame(line)).collect();
    let reports = |line: &str| ["FAILED", "failed: ", "panicked at"].iter().any(|word| line.contains(word));
    let mut wanted = 0;
    let mut found = Vec::new();
    for line in &lines {
        if reports(line) && !line.starts_with("test result: ok") {
            // This line only names the failed test. Its message follows later.
            wanted = if line.starts_with("test ") { wanted.max(1) } else { LINES_PER_FAILURE };
        }
        if wanted > 0 {
            wanted -= 1;
            found.push(*line);
        }
    }
    if found.is_empty() {
        found = lines.split_off(lines.len().saturating_sub(MAX_LINES));
    }
    found.truncate(MAX_LINES);
    found.join("\n")
}

/// Prints the table of parts, with the time by which a part exceeded its budget.
pub(super) fn table(all: &[PartResult]) {
    outln!("\n{:<14}{:>8}{:>8}{:>10}{:>9}", "part", "passed", "failed", "seconds", "budget");
    for result in all {
        let over = result.took.saturating_sub(result.budget).as_secs();
        let over = if over > 0 { format!("  {over} s over budget") } else { String::new() };
        let (Counts { passed, failed, .. }, took, budget) =
            (result.counts, result.took.as_secs_f64(), result.budget.as_secs());
        outln!("{:<14}{passed:>8}{failed:>8}{took:>10.1}{budget:>9}{over}", result.name);
    }
}

/// Writes `target/test/junit.xml` with a suite for each part, and returns its path.
pub(super) fn junit(all: &[PartResult], took: Duration) -> Result<PathBuf> {
    let mut report = Report::new("./mart test");
    report.set_time(took);
    for result in all {
        let mut status = TestCaseStatus::success();
        if result.counts.failed > 0 {
            status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(format!("{} failed", result.counts.failed)).set_description(result.failures.clone());
        }
        let mut case = TestCase::new(result.name.clone(), status);
        case.set_time(result.took).set_classname("mart");
        case.add_property(("passed", result.counts.passed.to_string().as_str()));
        case.add_property(("budget", result.budget.as_secs().to_string().as_str()));
        let mut suite = TestSuite::new(result.name.clone());
        suite.set_time(result.took).add_test_case(case);
        report.add_test_suite(suite);
    }
    let path = root().join("target/test/junit.xml");
    std::fs::write(&path, report.to_string()?)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_quoted_without_backtraces() {
        let log = "test a ... ok\ntest b ... FAILED\ntest c ... ok\n\nthread 'b' panicked at b.rs:1:\nread: not leader\n\
                   stack backtrace:\n   0: anyhow::error::from\n             at /registry/anyhow.rs:10:14\ndone\n\
                   test result: FAILED. 2 passed; 1 failed";
        let expected = "test b ... FAILED\nthread 'b' panicked at b.rs:1:\nread: not leader\nstack backtrace:\ndone\n\
                        test result: FAILED. 2 passed; 1 failed";
        assert_eq!(failures(log), expected);
    }

    #[test]
    fn last_lines_are_quoted_if_no_line_reports_a_failure() {
        let log: String = (0..100).map(|line| format!("line {line}\n")).collect();
        let quoted = failures(&log);
        assert_eq!(quoted.lines().count(), MAX_LINES);
        assert!(quoted.ends_with("line 99"), "{quoted}");
    }
}
