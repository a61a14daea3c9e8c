//! Runs features at two levels: in one process over stores in memory, and on real servers.
//! The folder `features/<service>` holds the scenarios and their steps; the steps are built as a test of the service's package. A
//! missing, ambiguous or unused step fails the run. The results are written to `target/features`, as JUnit and as a page.

#![allow(clippy::print_stdout, reason = "a test program prints its results")]

mod authorization;
mod in_process;
mod levels;
mod mart;
mod on_servers;
mod providers;
mod reading;
mod report;
mod scene;
mod steps;
pub mod words;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use cucumber::World;
use cucumber::codegen::WorldInventory;
use cucumber::event::ScenarioFinished;
use devstack::testing::FEATURES_ON_SERVERS;
use futures::FutureExt;

pub use devstack::keys::{AUDIENCE, ISSUER};
pub use futures::future::LocalBoxFuture;
pub use in_process::{Hosted, InProcess};
pub use mart::Mart;
pub use mart_chassis::Record;
pub use mart_proto::DynamicMessage;
pub use on_servers::{OnServers, Running};
pub use providers::{Providers, SANDBOX_SECRET, Sandbox};
pub use scene::{Adapters, Answer, Caller, PAYFAST, ask, keys, provider_routes, record, sandbox_routes};

use levels::{ALONE, MOMENT, Stage, has};
use report::{Case, Collector};

/// The number of scenarios that run side by side on servers.
const SIDE_BY_SIDE: usize = 8;

/// The customer who owns the resources of fixtures, unless a plan names another.
pub const OWNER: &str = "owner";

/// Makes a request of every operation in a mart, with the operation's name.
pub type Fixtures = for<'a> fn(&'a mut InProcess) -> LocalBoxFuture<'a, Vec<(&'static str, DynamicMessage)>>;

/// The configuration of a folder of features.
pub struct Plan {
    /// The folder's name.
    pub name: &'static str,
    /// Creates the mart in one process; the seed decides the delays, duplicates and order of its bus.
    pub mart: fn(u64) -> InProcess,
    /// The number of seeds under which each scenario runs in one process.
    pub seeds: u64,
    /// Variables of the services on servers, such as the intervals of background jobs. Time-outs are not among them: a scenario that
    /// lets time pass makes its own aggregates older.
    pub variables: &'static [(&'static str, &'static str)],
    /// Makes a request of every operation about resources of the customer `owner`, to be sent as every kind of caller. Without it,
    /// the requests are about missing resources, and the access of other customers is not tested.
    pub fixtures: Option<Fixtures>,
    /// The subject of that customer.
    pub owner: &'static str,
    /// Checks a mart on servers after all scenarios have ended; returns what is wrong with it.
    pub final_check: fn(Arc<Running>) -> LocalBoxFuture<'static, Vec<String>>,
}

impl Plan {
    /// Creates a plan with one seed, no variables, no fixtures and no final check.
    pub fn new(name: &'static str, mart: fn(u64) -> InProcess) -> Self {
        Self {
            name,
            mart,
            seeds: 1,
            variables: &[],
            fixtures: None,
            owner: OWNER,
            final_check: |_| Box::pin(async { Vec::new() }),
        }
    }
}

/// The state of a scenario, with the mart that it talks to.
pub trait Scenario: World + WorldInventory + std::fmt::Debug {
    /// Returns its mart.
    fn mart(&mut self) -> &mut Mart;
}

/// Runs all scenarios of a folder at the level of the environment, and prints the result in the form of a test program. An argument
/// selects the scenarios whose names contain it; `SEED=7` runs them under that seed only.
pub async fn run<W: Scenario>(plan: Plan) -> ExitCode {
    let folder = devstack::root().join("features").join(plan.name);
    let (name, seeds, final_check) = (plan.name, plan.seeds, plan.final_check);
    levels::plan(plan);
    let on_servers = std::env::var_os(FEATURES_ON_SERVERS).is_some();
    let mut all = if on_servers {
        run_on_servers::<W>(&folder, final_check).await
    } else {
        run_in_process::<W>(&folder, seeds).await
    };
    if !on_servers && filter().is_none() {
        let authorization::Checked { operations, calls, wrong } = authorization::check(levels::of_this_program()).await;
        if operations > 0 {
            println!("authorization: {operations} operations, {calls} calls; {} wrong responses", wrong.len());
        }
        all.wrong.extend(wrong);
        all.wrong.extend(
            reading::unused_steps(&folder)
                .into_iter()
                .map(|step| format!("no scenario uses the step {step}: remove it")),
        );
    }
    let failed = all.cases.iter().filter(|case| case.failure.is_some()).count() + all.wrong.len();
    report::print_failures(&all.cases);
    for wrong in &all.wrong {
        println!("{wrong}");
    }
    if filter().is_none() && one_seed().is_none() {
        let level = if on_servers { "on servers" } else { "in process" };
        println!("the page: {}", report::write(name, level, &all).display());
    }
    let passed = all.cases.len() - all.cases.iter().filter(|case| case.failure.is_some()).count();
    // A filter may match nothing in this folder, but without a filter something must have run.
    let word = if failed == 0 && (passed > 0 || filter().is_some()) { "ok" } else { "FAILED" };
    println!("test result: {word}. {passed} passed; {failed} failed; 0 ignored; features of {name}");
    if word == "ok" { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The result of a whole run.
#[derive(Debug, Default)]
struct Outcome {
    cases: Vec<Case>,
    /// Faults that are not those of a scenario.
    wrong: Vec<String>,
    seconds: f64,
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.cases.extend(other.cases);
        self.wrong.extend(other.wrong);
    }
}

/// Returns the part of the names of the scenarios to run. Ignores flags, which cargo test passes for its own test programs.
fn filter() -> Option<String> {
    let with_value = ["--test-threads", "--skip", "--format", "--color", "--logfile"];
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if with_value.contains(&argument.as_str()) {
            arguments.next();
        } else if !argument.starts_with('-') {
            return Some(argument);
        }
    }
    None
}

/// Returns the one seed of the variable `SEED`.
fn one_seed() -> Option<u64> {
    let seed = std::env::var("SEED").ok()?;
    Some(seed.parse().unwrap_or_else(|_| panic!("SEED is {seed:?}: give a whole number, such as SEED=7")))
}

async fn run_in_process<W: Scenario>(folder: &Path, seeds: u64) -> Outcome {
    let seeds = one_seed().map_or_else(|| (0..seeds).collect::<Vec<u64>>(), |seed| vec![seed]);
    let (begun, mut all) = (Instant::now(), Outcome::default());
    for seed in &seeds {
        levels::set(Stage::InProcess { seed: *seed });
        let again = format!("SEED={seed} ./mart test features --");
        all.add(scenarios::<W>(folder, &again, 64, |_| true).await);
    }
    let scenarios = all.cases.len() / seeds.len();
    all.seconds = begun.elapsed().as_secs_f64();
    let (seeds, runs) = (seeds.len(), all.cases.len());
    println!("in process: {scenarios} scenarios x {seeds} seeds = {runs} runs, {:.1} s", all.seconds);
    all
}

async fn run_on_servers<W: Scenario>(
    folder: &Path,
    final_check: fn(Arc<Running>) -> LocalBoxFuture<'static, Vec<String>>,
) -> Outcome {
    let again = "./mart test on-servers --";
    let tagged = reading::features(folder).iter().flat_map(reading::tags).collect::<Vec<_>>();
    let (begun, mut all, mut ran_as) = (Instant::now(), Outcome::default(), Vec::new());
    let together = |tags: &[String]| !has(tags, MOMENT) && !has(tags, ALONE);
    if tagged.iter().any(|tags| together(tags)) {
        let running = Arc::new(levels::start(levels::of_this_program()).await);
        levels::set(Stage::Together(running.clone()));
        let mut ran = scenarios::<W>(folder, again, SIDE_BY_SIDE, together).await;
        ran.wrong.extend(final_check(running).await);
        ran_as.push(format!("{} side by side", ran.cases.len()));
        all.add(ran);
    }
    levels::set(Stage::Alone);
    let ran = scenarios::<W>(folder, again, 2, |tags| has(tags, ALONE) && !has(tags, MOMENT)).await;
    ran_as.push(format!("{} @{ALONE}", ran.cases.len()));
    all.add(ran);
    let left = tagged.iter().filter(|tags| has(tags, MOMENT)).count();
    all.seconds = begun.elapsed().as_secs_f64();
    let (ran, seconds) = (all.cases.len(), all.seconds);
    if filter().is_none() && ran + left != tagged.len() {
        all.wrong
            .push(format!("of {} scenarios {ran} ran and {left} are @{MOMENT}: the tags leave some out", tagged.len()));
    }
    println!("on servers: {ran} scenarios ({}), {seconds:.1} s; in process only: {left} @{MOMENT}", ran_as.join(", "));
    all
}

/// Runs the selected scenarios.
async fn scenarios<W: Scenario>(
    folder: &Path,
    again: &str,
    side_by_side: usize,
    meant: impl Fn(&[String]) -> bool + 'static,
) -> Outcome {
    let name = filter();
    let meant = move |feature: &gherkin::Feature, rule: Option<&gherkin::Rule>, scenario: &gherkin::Scenario| {
        let tags = reading::tags_of(feature, rule, &scenario.tags);
        meant(&tags) && name.as_ref().is_none_or(|name| scenario.name.contains(name.as_str()))
    };
    let collector = W::cucumber()
        .max_concurrent_scenarios(side_by_side)
        .after(|_, _, _, ended, world| {
            no_dead_letters(matches!(ended, ScenarioFinished::StepPassed), world).boxed_local()
        })
        .with_writer(Collector::new(again))
        // Must be last: later builder methods would restore cucumber's own command line.
        .with_default_cli()
        .filter_run(PathBuf::from(folder), meant)
        .await;
    collector.outcome()
}

/// Checks after every passed scenario that there is no dead letter, unless an operator discarded it.
async fn no_dead_letters<W: Scenario>(went_well: bool, world: Option<&mut W>) {
    if let Some(world) = world.filter(|_| went_well) {
        let dead = world.mart().dead().await;
        assert_eq!(dead, 0, "there are dead letters at the end: {world:?}");
    }
}
