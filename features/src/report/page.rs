//! The page of the report: what its template shows.

use askama::Template;

use super::results::{Case, Seen};

/// The page.
#[derive(Template)]
#[template(path = "page.html")]
pub(super) struct Page {
    levels: Vec<Level>,
    wrong: Vec<String>,
    /// Scenarios that failed anywhere.
    failed: Vec<Entry>,
    features: Vec<Chapter>,
    tags: Vec<String>,
}

/// The results of a folder at a level.
struct Level {
    folder: String,
    name: String,
    scenarios: usize,
    runs: usize,
    failed: usize,
    seconds: String,
}

/// A feature.
struct Chapter {
    folder: String,
    name: String,
    about: Vec<String>,
    rules: Vec<(String, Vec<Entry>)>,
}

/// A scenario at all levels.
#[derive(Clone)]
struct Entry {
    case: Case,
    folder: String,
    /// The levels that it ran at, each with the number of seeds and whether it passed.
    levels: Vec<(String, usize, bool)>,
}

impl Entry {
    fn passed(&self) -> bool {
        self.levels.iter().all(|(_, _, passed)| *passed)
    }
}

impl Page {
    pub(super) fn of(all: &[Seen]) -> Self {
        let (mut levels, mut features, mut tags): (Vec<Level>, Vec<Chapter>, Vec<String>) = Default::default();
        for seen in all {
            levels.push(Level {
                folder: seen.folder.clone(),
                name: seen.level.clone(),
                scenarios: seen.cases.len(),
                runs: seen.cases.iter().map(|case| case.runs).sum(),
                failed: seen.cases.iter().filter(|case| case.failure.is_some()).count(),
                seconds: format!("{:.1}", seen.seconds),
            });
            for case in &seen.cases {
                tags.extend(case.tags.iter().cloned());
                enter(&mut features, seen, case);
            }
        }
        for (_, entries) in features.iter_mut().flat_map(|feature| &mut feature.rules) {
            entries.sort_by_key(|entry| entry.case.line);
        }
        tags.sort();
        tags.dedup();
        let entries = features.iter().flat_map(|feature| feature.rules.iter().flat_map(|(_, entries)| entries));
        let failed = entries.filter(|entry| !entry.passed()).cloned().collect();
        let wrong = all
            .iter()
            .flat_map(|seen| seen.wrong.iter().map(|wrong| format!("{}, {}: {wrong}", seen.folder, seen.level)));
        Self { levels, wrong: wrong.collect(), failed, features, tags }
    }
}

/// Adds the results of a scenario to its feature and rule.
fn enter(features: &mut Vec<Chapter>, seen: &Seen, case: &Case) {
    let own = |chapter: &Chapter| chapter.folder == seen.folder && chapter.name == case.feature;
    let nth = features.iter().position(own).unwrap_or_else(|| {
        let about = case.about.lines().map(|line| line.trim().to_owned()).collect();
        features.push(Chapter { folder: seen.folder.clone(), name: case.feature.clone(), about, rules: Vec::new() });
        features.len() - 1
    });
    let rules = &mut features[nth].rules;
    let rule = rules.iter().position(|(name, _)| *name == case.rule).unwrap_or_else(|| {
        rules.push((case.rule.clone(), Vec::new()));
        rules.len() - 1
    });
    let entries = &mut rules[rule].1;
    let level = (seen.level.clone(), case.runs, case.failure.is_none());
    match entries.iter_mut().find(|entry| entry.case.line == case.line) {
        Some(entry) => {
            if case.failure.is_some() {
                entry.case = case.clone();
            }
            entry.levels.push(level);
        }
        None => entries.push(Entry { case: case.clone(), folder: seen.folder.clone(), levels: vec![level] }),
    }
}
