//! Runs the features on the services' real routers over their stores in memory: every rule, no server.
//!
//! A step that is missing, ambiguous or not used by any scenario fails the run.

#![allow(clippy::print_stdout, reason = "a test program tells how it went")]

mod product;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use cucumber::World as _;
use cucumber::event::ScenarioFinished;
use cucumber::writer::Stats;
use futures::FutureExt;
use regex::Regex;
use world::World;

static PASSED: AtomicUsize = AtomicUsize::new(0);
static FAILED: AtomicUsize = AtomicUsize::new(0);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let features = features(folder);
    let unused = unused(folder, &features);
    for step in &unused {
        println!("no scenario uses the step {step}: remove it");
    }
    let writer = World::cucumber()
        .after(|_, _, scenario, finished, _| {
            let (count, word) = match finished {
                ScenarioFinished::StepPassed => (&PASSED, None),
                _ => (&FAILED, Some("failed")),
            };
            count.fetch_add(1, Ordering::Relaxed);
            if let Some(word) = word {
                println!("{word}: {} (line {}); run it by ./mart test features", scenario.name, scenario.position.line);
            }
            async {}.boxed_local()
        })
        .fail_on_skipped()
        .run(folder.join("product"))
        .await;
    let broken = writer.execution_has_failed() && FAILED.load(Ordering::Relaxed) == 0;
    let failed = FAILED.load(Ordering::Relaxed) + unused.len() + usize::from(broken);
    let passed = PASSED.load(Ordering::Relaxed);
    let word = if failed == 0 && passed > 0 { "ok" } else { "FAILED" };
    println!(
        "test result: {word}. {passed} passed; {failed} failed; 0 ignored; scenarios of {} features",
        features.len()
    );
    if word == "ok" { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|found| found == ending) {
            found.push(path);
        }
    }
    found
}

fn features(folder: &Path) -> Vec<gherkin::Feature> {
    let parse = |path| gherkin::Feature::parse_path(path, gherkin::GherkinEnv::default()).expect("a feature");
    files(folder, "feature").into_iter().map(parse).collect()
}

/// The steps of `tests/` whose expressions match no line of any feature. Expressions stand in the attributes as raw strings.
fn unused(folder: &Path, features: &[gherkin::Feature]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for feature in features {
        let background = feature.background.iter().flat_map(|background| &background.steps);
        lines.extend(background.map(|step| step.value.clone()));
        for scenario in &feature.scenarios {
            for step in &scenario.steps {
                lines.extend(expanded(&step.value, &scenario.examples));
            }
        }
    }
    let attribute = Regex::new(r##"#\[(?:given|when|then)\(regex = r#?"(.+?)"#?\)\]"##).expect("an expression");
    let mut unused = Vec::new();
    for file in files(&folder.join("tests"), "rs") {
        let source = std::fs::read_to_string(file).expect("readable");
        for found in attribute.captures_iter(&source) {
            let step = Regex::new(&found[1]).expect("a step's expression");
            if !lines.iter().any(|line| step.is_match(line)) {
                unused.push(found[1].to_owned());
            }
        }
    }
    unused
}

/// A line of an outline with the values of each example.
fn expanded(line: &str, examples: &[gherkin::Examples]) -> Vec<String> {
    let tables = examples.iter().filter_map(|examples| examples.table.as_ref());
    let mut lines: Vec<String> = tables
        .flat_map(|table| {
            let (head, rows) = table.rows.split_first().expect("a table has a head");
            rows.iter().map(move |row| {
                head.iter()
                    .zip(row)
                    .fold(line.to_owned(), |line, (name, value)| line.replace(&format!("<{name}>"), value))
            })
        })
        .collect();
    if lines.is_empty() {
        lines.push(line.to_owned());
    }
    lines
}
