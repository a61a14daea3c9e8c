//! Runs a service's features on its real router over its store in memory: every rule, no server.
//!
//! The folder `features/<service>` has the scenarios and the steps; the steps are built as a test of the service's package. A
//! step that is missing, ambiguous or not used by any scenario fails the run.

#![allow(clippy::print_stdout, reason = "a test program tells how it went")]

mod in_process;
mod scene;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use cucumber::codegen::WorldInventory;
use cucumber::event::ScenarioFinished;
use cucumber::writer::basic::{Basic, Coloring};
use cucumber::writer::{Stats, Verbosity};
use cucumber::{World, WriterExt};
use futures::FutureExt;
use regex::Regex;

pub use in_process::{Hosted, InProcess};
pub use mart_chassis::Record;
pub use scene::{Answer, Scene, Who, keys, told};

static PASSED: AtomicUsize = AtomicUsize::new(0);
static FAILED: AtomicUsize = AtomicUsize::new(0);

/// Runs all scenarios; whether one failed, or something else did.
macro_rules! once {
    ($cucumber:expr, $folder:expr) => {
        $cucumber
            .after(|_, _, scenario, finished, _| {
                ended(scenario, finished);
                async {}.boxed_local()
            })
            .fail_on_skipped()
            .run($folder.clone())
            .await
            .execution_has_failed()
    };
}

/// The seed of the scenarios that run now.
static SEED: AtomicU64 = AtomicU64::new(0);

/// The seed of the scenarios that run now; a world makes its mart of it.
pub fn seed() -> u64 {
    SEED.load(Ordering::Relaxed)
}

/// Runs all scenarios of a service and says how they went, in the words of a test program.
pub async fn run<W: World + WorldInventory + std::fmt::Debug>(service: &str) -> ExitCode {
    let folder = &Path::new(env!("CARGO_MANIFEST_DIR")).join(service);
    let failed = once!(W::cucumber(), folder);
    outcome(folder, failed)
}

/// Runs all scenarios once under each of so many seeds; only the first run is shown step by step. `SEED=7` runs them under
/// that one.
pub async fn run_under_seeds<W: World + WorldInventory + std::fmt::Debug>(service: &str, seeds: u64) -> ExitCode {
    let folder = &Path::new(env!("CARGO_MANIFEST_DIR")).join(service);
    let one = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = one.map_or_else(|| (0..seeds).collect::<Vec<u64>>(), |seed| vec![seed]);
    let mut failed = false;
    for (nth, seed) in seeds.iter().enumerate() {
        SEED.store(*seed, Ordering::Relaxed);
        failed |= if nth == 0 {
            once!(W::cucumber(), folder)
        } else {
            let silent = Basic::new(std::io::sink(), Coloring::Never, Verbosity::Default).summarized();
            once!(W::cucumber().with_writer(silent), folder)
        };
    }
    println!("{} seeds", seeds.len());
    outcome(folder, failed)
}

/// Says how all of it went.
fn outcome(folder: &Path, broken: bool) -> ExitCode {
    let features = features(folder);
    let unused = unused(folder, &features);
    for step in &unused {
        println!("no scenario uses the step {step}: remove it");
    }
    let failed = FAILED.load(Ordering::Relaxed);
    // Something may fail that is no scenario, such as a feature that can't be read.
    let failed = failed + unused.len() + usize::from(broken && failed == 0);
    let passed = PASSED.load(Ordering::Relaxed);
    let word = if failed == 0 && passed > 0 { "ok" } else { "FAILED" };
    println!(
        "test result: {word}. {passed} passed; {failed} failed; 0 ignored; scenarios of {} features",
        features.len()
    );
    if word == "ok" { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Counts a scenario that has ended, and says how to run one again that failed.
fn ended(scenario: &gherkin::Scenario, finished: &ScenarioFinished) {
    let why = match finished {
        ScenarioFinished::StepPassed => {
            PASSED.fetch_add(1, Ordering::Relaxed);
            return;
        }
        ScenarioFinished::StepFailed(_, _, why) => why.to_string(),
        ScenarioFinished::StepSkipped => "a step is not implemented".to_owned(),
        ScenarioFinished::BeforeHookFailed(_) => "it could not begin".to_owned(),
    };
    FAILED.fetch_add(1, Ordering::Relaxed);
    println!("failed: {} (line {}): {why}", scenario.name, scenario.position.line);
    println!("  run it again by SEED={} ./mart test features", seed());
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
        let backgrounds =
            feature.background.iter().chain(feature.rules.iter().filter_map(|rule| rule.background.as_ref()));
        lines.extend(backgrounds.flat_map(|background| &background.steps).map(|step| step.value.clone()));
        let scenarios = feature.scenarios.iter().chain(feature.rules.iter().flat_map(|rule| &rule.scenarios));
        for scenario in scenarios {
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
