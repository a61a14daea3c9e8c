//! The results of scenarios, which every form of the report shows.

use serde::{Deserialize, Serialize};

/// A scenario that ran, once or under several seeds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(super) feature: String,
    pub(super) about: String,
    pub(super) rule: String,
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) tags: Vec<String>,
    /// The header and the row of the outline's table that it was made of.
    pub(super) example: Vec<Vec<String>>,
    pub(super) steps: Vec<ReportedStep>,
    pub(super) runs: usize,
    pub(super) seconds: f64,
    /// The reason of a failure, and the command that reruns it.
    pub(crate) failure: Option<(String, String)>,
}

/// A step of the report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ReportedStep {
    pub(super) keyword: String,
    pub(super) text: String,
    pub(super) table: Vec<Vec<String>>,
    pub(super) outcome: String,
}

/// The results of one program for one folder at one level.
#[derive(Serialize, Deserialize)]
pub(super) struct Seen {
    pub(super) folder: String,
    pub(super) level: String,
    /// The digest of the features that were run; results of changed features are obsolete.
    pub(super) digest: u64,
    pub(super) seconds: f64,
    pub(super) wrong: Vec<String>,
    pub(super) cases: Vec<Case>,
}

/// Merges the runs of one scenario under several seeds; a failure of one run is a failure of the scenario.
pub(super) fn merged(cases: &[Case]) -> Vec<Case> {
    let mut merged: Vec<Case> = Vec::new();
    for case in cases {
        let same = |known: &&mut Case| known.feature == case.feature && known.line == case.line;
        if let Some(known) = merged.iter_mut().find(same) {
            let (runs, seconds) = (known.runs + 1, known.seconds + case.seconds);
            if known.failure.is_none() && case.failure.is_some() {
                known.clone_from(case);
            }
            (known.runs, known.seconds) = (runs, seconds);
        } else {
            merged.push(case.clone());
        }
    }
    merged
}
