//! Runs a service's features on its real router over its store in memory: every rule, no server.
//!
//! The folder `features/<service>` has the scenarios and the steps; the steps are built as a test of the service's package. A
//! step that is missing, ambiguous or not used by any scenario fails the run.

#![allow(clippy::print_stdout, reason = "a test program tells how it went")]

mod scene;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use cucumber::World;
use cucumber::codegen::WorldInventory;
use cucumber::event::ScenarioFinished;
use cucumber::writer::Stats;
use futures::FutureExt;
use regex::Regex;
pub use scene::Scene;

static PASSED: AtomicUsize = AtomicUsize::new(0);
static FAILED: AtomicUsize = AtomicUsize::new(0);

/// Runs all scenarios of a service and says how they went, in the words of a test program.
pub async fn run<W: World + WorldInventory + std::fmt::Debug>(service: &str) -> ExitCode {
    let folder = &Path::new(env!("CARGO_MANIFEST_DIR")).join(service);
    let features = features(folder);
    let unused = unused(folder, &features);
    for step in &unused {
        println!("no scenario uses the step {step}: remove it");
    }
    let writer = W::cucumber()
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
        .run(folder.clone())
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

/// The steps whose expressions match no line of any feature. Expressions stand in the attributes as raw strings.
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
    for file in files(folder, "rs") {
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
