//! The report of a run, scenario by scenario: a line for each failure, a JUnit file, and a page.

mod collector;
mod junit;
mod page;
mod results;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use askama::Template;

use crate::Outcome;
use crate::reading::texts;

use page::Page;
use results::{Seen, merged};

pub(crate) use collector::Collector;
pub(crate) use results::Case;

/// Writes the results of this program, and rewrites the page and the JUnit file from those of all programs. Returns the path of the
/// page.
pub(crate) fn write(folder: &str, level: &str, outcome: &Outcome) -> PathBuf {
    let target = devstack::root().join("target/features");
    let seen = target.join("seen");
    std::fs::create_dir_all(&seen).expect("a folder for reports");
    let (folder, level, digest) = (folder.to_owned(), level.to_owned(), digest_of(folder));
    let own = seen.join(format!("{folder} {level}.json"));
    let mine = Seen {
        folder,
        level,
        digest,
        seconds: outcome.seconds,
        wrong: outcome.wrong.clone(),
        cases: merged(&outcome.cases),
    };
    std::fs::write(own, serde_json::to_vec(&mine).expect("JSON")).expect("written");
    let mut all: Vec<Seen> = Vec::new();
    for entry in std::fs::read_dir(&seen).expect("readable").flatten() {
        let report = serde_json::from_slice(&std::fs::read(entry.path()).expect("readable"));
        // Results of an older format, or of features that are gone or were changed, are left out.
        all.extend(
            report.into_iter().filter(|report: &Seen| report.digest != 0 && report.digest == digest_of(&report.folder)),
        );
    }
    all.sort_by(|one, other| (&one.folder, &one.level).cmp(&(&other.folder, &other.level)));
    std::fs::write(target.join("junit.xml"), junit::of(&all)).expect("written");
    let page = target.join("index.html");
    std::fs::write(&page, Page::of(&all).render().expect("rendered")).expect("written");
    page
}

/// Prints the first failure of each scenario that failed, and how to rerun it.
pub(crate) fn print_failures(cases: &[Case]) {
    for case in merged(cases) {
        if let Some((why, again)) = &case.failure {
            println!("failed: {} (line {}): {why}\n  rerun: {again}", case.name, case.line);
        }
    }
}

/// Returns the digest of a folder's features; zero if there are none.
fn digest_of(folder: &str) -> u64 {
    let texts = texts(&devstack::root().join("features").join(folder));
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    if texts.is_empty() { 0 } else { mart_proto::digest(&texts) }
}
