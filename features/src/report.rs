//! The report of a run, scenario by scenario: a line for each failure, a JUnit file, and a page.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use askama::Template;
use cucumber::event::{Cucumber, Feature, Hook, RetryableScenario, Rule, Scenario, Step};
use cucumber::{Event, Writer, cli, parser};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::reading::{tags_of, texts};

/// A scenario that ran, once or under several seeds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Case {
    feature: String,
    about: String,
    rule: String,
    name: String,
    line: usize,
    tags: Vec<String>,
    /// The header and the row of the outline's table that it was made of.
    example: Vec<Vec<String>>,
    steps: Vec<ReportedStep>,
    runs: usize,
    seconds: f64,
    /// The reason of a failure, and the command that reruns it.
    pub(crate) failure: Option<(String, String)>,
}

/// A step of the report.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct ReportedStep {
    keyword: String,
    text: String,
    table: Vec<Vec<String>>,
    outcome: String,
}

/// Collects the results.
pub(crate) struct Collector {
    again: String,
    running: HashMap<(String, usize), (Case, Instant)>,
    outcome: Outcome,
}

impl Collector {
    /// Creates a collector; the command that reruns a failure begins with this text.
    pub(crate) fn new(again: &str) -> Self {
        Self { again: again.to_owned(), running: HashMap::new(), outcome: Outcome::default() }
    }

    /// Returns the collected results.
    pub(crate) fn outcome(self) -> Outcome {
        self.outcome
    }

    fn scenario<W>(
        &mut self,
        feature: &gherkin::Feature,
        rule: Option<&gherkin::Rule>,
        scenario: &gherkin::Scenario,
        event: Scenario<W>,
    ) {
        let key = (feature.name.clone(), scenario.position.line);
        let (case, begun) = self.running.entry(key.clone()).or_insert_with(|| {
            let case = Case {
                feature: feature.name.clone(),
                about: feature.description.clone().unwrap_or_default(),
                rule: rule.map(|rule| rule.name.clone()).unwrap_or_default(),
                name: scenario.name.clone(),
                line: scenario.position.line,
                tags: tags_of(feature, rule, &scenario.tags),
                example: example(scenario),
                steps: Vec::new(),
                runs: 1,
                seconds: 0.0,
                failure: None,
            };
            (case, Instant::now())
        });
        let again = format!("{} {:?}", self.again, scenario.name);
        match event {
            Scenario::Background(step, Step::Passed(..)) | Scenario::Step(step, Step::Passed(..)) => {
                case.steps.push(shown(&step, "passed"));
            }
            Scenario::Background(step, Step::Skipped) | Scenario::Step(step, Step::Skipped) => {
                case.steps.push(shown(&step, "failed"));
                case.failure = Some((format!("no step is written for {:?}", step.value), again));
            }
            Scenario::Background(step, Step::Failed(_, _, _, why))
            | Scenario::Step(step, Step::Failed(_, _, _, why)) => {
                case.steps.push(shown(&step, "failed"));
                case.failure = Some((format!("{} {}: {why}", step.keyword.trim(), step.value), again));
            }
            Scenario::Hook(_, Hook::Failed(_, why)) => {
                let why = why.downcast_ref::<String>().map_or("a hook failed", String::as_str);
                case.failure = Some((why.to_owned(), again));
            }
            Scenario::Finished => {
                let seconds = begun.elapsed().as_secs_f64();
                let Some((mut case, _)) = self.running.remove(&key) else { return };
                let left = scenario.steps.iter().skip(case.steps.len().saturating_sub(background(feature, rule)));
                let left: Vec<ReportedStep> = left.map(|step| shown(step, "not run")).collect();
                case.steps.extend(left);
                case.seconds = seconds;
                self.outcome.cases.push(case);
            }
            _ => {}
        }
    }
}

/// Returns the header and the row that a scenario was made of; cucumber leaves only these in its examples.
fn example(scenario: &gherkin::Scenario) -> Vec<Vec<String>> {
    let table = scenario.examples.first().and_then(|examples| examples.table.as_ref());
    table.map(|table| table.rows.clone()).unwrap_or_default()
}

/// Returns the number of background steps of a scenario.
fn background(feature: &gherkin::Feature, rule: Option<&gherkin::Rule>) -> usize {
    let steps = |background: Option<&gherkin::Background>| background.map_or(0, |background| background.steps.len());
    steps(feature.background.as_ref()) + steps(rule.and_then(|rule| rule.background.as_ref()))
}

fn shown(step: &gherkin::Step, outcome: &str) -> ReportedStep {
    ReportedStep {
        keyword: step.keyword.trim().to_owned(),
        text: step.value.clone(),
        table: step.table.as_ref().map(|table| table.rows.clone()).unwrap_or_default(),
        outcome: outcome.to_owned(),
    }
}

impl<W: 'static> Writer<W> for Collector {
    type Cli = cli::Empty;

    async fn handle_event(&mut self, event: parser::Result<Event<Cucumber<W>>>, _: &cli::Empty) {
        match event.map(|event| event.value) {
            Ok(Cucumber::Feature(feature, Feature::Scenario(scenario, RetryableScenario { event, .. }))) => {
                self.scenario(&feature, None, &scenario, event);
            }
            Ok(Cucumber::Feature(feature, Feature::Rule(rule, Rule::Scenario(scenario, happened)))) => {
                self.scenario(&feature, Some(&rule), &scenario, happened.event);
            }
            Ok(_) => {}
            Err(error) => self.outcome.wrong.push(format!("a feature can't be read: {error}")),
        }
    }
}

// The result does not depend on the order of events of scenarios that run side by side.
impl cucumber::writer::Normalized for Collector {}

/// The results of one program for one folder at one level.
#[derive(Serialize, Deserialize)]
struct Seen {
    folder: String,
    level: String,
    /// The digest of the features that were run; results of changed features are obsolete.
    digest: u64,
    seconds: f64,
    wrong: Vec<String>,
    cases: Vec<Case>,
}

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
    std::fs::write(target.join("junit.xml"), junit(&all)).expect("written");
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

/// Merges the runs of one scenario under several seeds; a failure of one run is a failure of the scenario.
fn merged(cases: &[Case]) -> Vec<Case> {
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

fn junit(all: &[Seen]) -> String {
    let mut report = Report::new("features");
    for seen in all {
        let mut suite = TestSuite::new(format!("{} {}", seen.folder, seen.level));
        for case in &seen.cases {
            let status = match &case.failure {
                None => TestCaseStatus::success(),
                Some((why, again)) => {
                    let mut failed = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    failed.set_message(why.as_str()).set_description(format!("rerun: {again}"));
                    failed
                }
            };
            let mut test = TestCase::new(format!("{} (line {})", case.name, case.line), status);
            test.set_classname(case.feature.as_str()).set_time(Duration::from_secs_f64(case.seconds));
            suite.add_test_case(test);
        }
        for wrong in &seen.wrong {
            let mut failed = TestCaseStatus::non_success(NonSuccessKind::Error);
            failed.set_message(wrong.as_str());
            suite.add_test_case(TestCase::new("the features as a whole", failed));
        }
        report.add_test_suite(suite);
    }
    report.to_string().expect("XML")
}

/// The page.
#[derive(Template)]
#[template(path = "page.html")]
struct Page {
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
    fn of(all: &[Seen]) -> Self {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, line: usize, failure: Option<&str>) -> Case {
        let table = vec![vec!["a <cell>".to_owned()]];
        let step = ReportedStep {
            keyword: "Then".to_owned(),
            text: "it is so".to_owned(),
            table,
            outcome: "passed".to_owned(),
        };
        Case {
            feature: "F".to_owned(),
            about: "About it".to_owned(),
            rule: "R".to_owned(),
            name: name.to_owned(),
            line,
            tags: vec!["time".to_owned()],
            example: vec![vec!["way".to_owned()], vec!["up".to_owned()]],
            steps: vec![step],
            runs: 1,
            seconds: 0.5,
            failure: failure.map(|why| (why.to_owned(), "SEED=7 ./mart test features -- \"B\"".to_owned())),
        }
    }

    fn seen(level: &str, cases: &[Case]) -> Seen {
        let (folder, level) = ("order".to_owned(), level.to_owned());
        Seen { folder, level, digest: 1, seconds: 2.0, wrong: Vec::new(), cases: merged(cases) }
    }

    #[test]
    fn a_failure_under_one_seed_fails_the_scenario() {
        let cases =
            [case("A", 3, None), case("B", 9, None), case("A", 3, None), case("B", 9, Some("why")), case("B", 9, None)];
        let merged = merged(&cases);
        assert_eq!(merged.iter().map(|case| (case.name.as_str(), case.runs)).collect::<Vec<_>>(), [("A", 2), ("B", 3)]);
        assert!(merged[0].failure.is_none());
        assert!(merged[1].failure.as_ref().is_some_and(|(why, again)| why == "why" && again.starts_with("SEED=7")));
    }

    #[test]
    fn the_page_lists_failures_first_and_works_offline() {
        let all = [
            seen("in process", &[case("A", 3, None), case("B", 9, Some("<why>"))]),
            seen("on servers", &[case("A", 3, None), case("B", 9, None)]),
        ];
        let page = Page::of(&all).render().expect("rendered");
        let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not on the page: {page}"));
        assert!(at("Failed: 1") < at("<h2>F</h2>") && at("</span> B") < at("</span> A"), "failures come first");
        for part in ["a &#60;cell&#62;", "&#60;why&#62;", "way: up", "@time", "in process", "on servers", "SEED=7"] {
            at(part);
        }
        assert!(!page.contains("http"), "it works without a network");
    }

    #[test]
    fn junit_reports_each_level_and_each_failure() {
        let report = junit(&[seen("in process", &[case("A", 3, None), case("B", 9, Some("<why>"))])]);
        for part in [r#"tests="2""#, r#"failures="1""#, "order in process", "B (line 9)", "&lt;why&gt;", "SEED=7"] {
            assert!(report.contains(part), "{part}: {report}");
        }
    }
}
