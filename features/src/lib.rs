//! Runs features at two levels: in one process over stores in memory, and on real servers.
//!
//! The folder `features/<service>` has the scenarios and the steps; the steps are built as a test of the service's package.
//! A step that is missing, ambiguous or not used by any scenario fails the run. What happened goes to `target/features`,
//! for machines and for people.

#![allow(clippy::print_stdout, reason = "a test program tells how it went")]

mod authorization;
mod in_process;
mod levels;
mod mart;
mod on_servers;
mod providers;
mod reading;
mod report;
mod scene;
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
pub use scene::{Answer, PAYFAST, Who, ask, keys, provider_routes, record, sandbox_routes};

use levels::{ALONE, MOMENT, Stage, has};
use report::{Case, Collector};

/// How many scenarios run side by side on servers.
const SIDE_BY_SIDE: usize = 8;

/// The customer whose things fixtures are about, where a plan names no other.
pub const OWNER: &str = "owner";

/// Makes a request of every operation in a mart, by its name.
pub type Fixtures = for<'a> fn(&'a mut InProcess) -> LocalBoxFuture<'a, Vec<(&'static str, DynamicMessage)>>;

/// What a folder of features needs to run.
pub struct Plan {
    /// The folder.
    pub name: &'static str,
    /// The mart that its scenarios talk to, with a bus as unkind as a seed makes it.
    pub mart: fn(u64) -> InProcess,
    /// Under how many seeds each scenario runs in one process.
    pub seeds: u64,
    /// Variables of the services on servers, such as how often sweeps look. No time-out is among them: a scenario that lets time
    /// pass makes its own aggregates older.
    pub variables: &'static [(&'static str, &'static str)],
    /// Makes a request of every operation, about things of the customer `owner`, to be asked as everybody. Without it they
    /// are asked about things that are not there, and not as another customer.
    pub fixtures: Option<Fixtures>,
    /// That customer.
    pub owner: &'static str,
    /// Looks at a mart on servers after all scenarios have ended; what is wrong with it.
    pub at_the_end: fn(Arc<Running>) -> LocalBoxFuture<'static, Vec<String>>,
}

impl Plan {
    /// One seed, no time, and nothing to look at in the end.
    pub fn new(name: &'static str, mart: fn(u64) -> InProcess) -> Self {
        Self {
            name,
            mart,
            seeds: 1,
            variables: &[],
            fixtures: None,
            owner: OWNER,
            at_the_end: |_| Box::pin(async { Vec::new() }),
        }
    }
}

/// What a scenario sees and remembers: among it the mart that it talks to.
pub trait Scenario: World + WorldInventory + std::fmt::Debug {
    /// Its mart.
    fn mart(&mut self) -> &mut Mart;
}

/// Runs all scenarios of a folder at the level that the environment asks for, and says how they went in the words of a
/// test program. An argument is a part of the names of those to run; `SEED=7` runs them under that seed only.
pub async fn run<W: Scenario>(plan: Plan) -> ExitCode {
    let folder = devstack::root().join("features").join(plan.name);
    let (name, seeds, at_the_end) = (plan.name, plan.seeds, plan.at_the_end);
    levels::plan(plan);
    let on_servers = std::env::var_os(FEATURES_ON_SERVERS).is_some();
    let mut all = if on_servers {
        run_on_servers::<W>(&folder, at_the_end).await
    } else {
        run_in_process::<W>(&folder, seeds).await
    };
    if !on_servers && filter().is_none() {
        let authorization::Checked { operations, asked, wrong } = authorization::check(levels::of_this_program()).await;
        if operations > 0 {
            println!("authorization: {operations} operations, asked {asked} times; {} answers are wrong", wrong.len());
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
    // None has to have a name that was asked for, but without one something has to have run.
    let word = if failed == 0 && (passed > 0 || filter().is_some()) { "ok" } else { "FAILED" };
    println!("test result: {word}. {passed} passed; {failed} failed; 0 ignored; features of {name}");
    if word == "ok" { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What came of a whole run.
#[derive(Debug, Default)]
struct Outcome {
    cases: Vec<Case>,
    /// What is wrong besides scenarios.
    wrong: Vec<String>,
    seconds: f64,
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.cases.extend(other.cases);
        self.wrong.extend(other.wrong);
    }
}

/// A part of the names of the scenarios to run. Flags, which are cargo test's for its own test programs, say nothing here.
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

/// The one seed that `SEED` asks for.
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
    at_the_end: fn(Arc<Running>) -> LocalBoxFuture<'static, Vec<String>>,
) -> Outcome {
    let again = "./mart test on-servers --";
    let tagged = reading::features(folder).iter().flat_map(reading::tags).collect::<Vec<_>>();
    let (begun, mut all, mut told) = (Instant::now(), Outcome::default(), Vec::new());
    let together = |tags: &[String]| !has(tags, MOMENT) && !has(tags, ALONE);
    if tagged.iter().any(|tags| together(tags)) {
        let running = Arc::new(levels::start(levels::of_this_program()).await);
        levels::set(Stage::Together(running.clone()));
        let mut ran = scenarios::<W>(folder, again, SIDE_BY_SIDE, together).await;
        ran.wrong.extend(at_the_end(running).await);
        told.push(format!("{} side by side", ran.cases.len()));
        all.add(ran);
    }
    levels::set(Stage::Alone);
    let ran = scenarios::<W>(folder, again, 2, |tags| has(tags, ALONE) && !has(tags, MOMENT)).await;
    told.push(format!("{} @{ALONE}", ran.cases.len()));
    all.add(ran);
    let left = tagged.iter().filter(|tags| has(tags, MOMENT)).count();
    all.seconds = begun.elapsed().as_secs_f64();
    let (ran, seconds) = (all.cases.len(), all.seconds);
    if filter().is_none() && ran + left != tagged.len() {
        all.wrong
            .push(format!("of {} scenarios {ran} ran and {left} are @{MOMENT}: the tags leave some out", tagged.len()));
    }
    println!("on servers: {ran} scenarios ({}), {seconds:.1} s; in process only: {left} @{MOMENT}", told.join(", "));
    all
}

/// Runs the scenarios whose tags are meant.
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
        .after(|_, _, _, ended, world| torn_down(matches!(ended, ScenarioFinished::StepPassed), world).boxed_local())
        .with_writer(Collector::new(again))
        // The last: what stands before it can bring the command line back, whose words are ours.
        .with_default_cli()
        .filter_run(PathBuf::from(folder), meant)
        .await;
    collector.outcome()
}

/// After every scenario that went well: nobody is left with a record that can never be handled, unless an operator threw it
/// away.
async fn torn_down<W: Scenario>(went_well: bool, world: Option<&mut W>) {
    if let Some(world) = world.filter(|_| went_well) {
        let dead = world.mart().dead().await;
        assert_eq!(dead, 0, "records are dead at the end: {world:?}");
    }
}
