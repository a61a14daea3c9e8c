//! `./mart test`: everything that CI runs, in parts.

mod build;
mod lint;
mod log;
mod parts;
mod report;
mod servers;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use devstack::graph::{self, Graph};
use devstack::outln;
use devstack::toolchain::{self, SERVERS, Tool};
use tokio::process::Command;

use super::ShutdownSignals;
use build::{Built, build};
use lint::lint;
use log::Log;
use parts::{Lane, Part, QUICK, Run};
use report::Done;
use servers::Servers;

/// Run the checks and tests that CI runs.
///
/// Without a name, everything that CI runs for a change; `quick` is what needs no server, `nightly` what CI runs at night. The name
/// of a service is its rules, its features in one process and its tests on real servers.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Parts to run, `quick` or `nightly`.
    parts: Vec<String>,
    /// Say what parts there are.
    #[arg(long)]
    list: bool,
    /// Run what a change can reach by the graph of crates, but for the parts that take minutes, which are named: what differs
    /// from HEAD, or from another commit.
    #[arg(long, value_name = "COMMIT", num_args = 0..=1, require_equals = true, default_missing_value = "HEAD", conflicts_with = "parts")]
    changed: Option<String>,
    /// Part gateway: a gateway to ask instead of the devstack's own, such as a real Kong's http://127.0.0.1:8000.
    #[arg(long, requires = "parts")]
    url: Option<String>,
    /// With --url: its Admin API, such as http://127.0.0.1:8001. Each file is loaded into it; without one the mart's own file
    /// only is asked about, and waits until you have loaded it.
    #[arg(long, requires = "url")]
    admin: Option<String>,
    /// With --url: this machine as that gateway sees it, such as host.docker.internal.
    #[arg(long, requires = "url")]
    upstream: Option<String>,
    /// Arguments of the test programs, such as a part of a test's name.
    #[arg(last = true)]
    filter: Vec<String>,
}

/// The tests of the gateway, which are a part of their own.
const GATEWAY: &str = "gateway";

/// What the test programs are told.
struct Asked {
    filter: Vec<String>,
    /// Which gateway is asked, as variables.
    gateway: Vec<(&'static str, String)>,
    /// Whether everything is run that CI runs.
    whole: bool,
    /// Whether it is about a change: scenarios run under one seed.
    changed: bool,
}

/// Tests that passed, failed and were left out.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Counts {
    fn of(passed: bool) -> Self {
        Self { passed: usize::from(passed), failed: usize::from(!passed), skipped: 0 }
    }

    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let services = devstack::service::all()?;
    let parts = parts::all(&services);
    if arguments.list {
        list(&parts);
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = match &arguments.changed {
        Some(commit) => reached(parts, commit).await?,
        None => choose(parts, &arguments.parts, &services)?,
    };
    if chosen.is_empty() {
        outln!("no part that is soon done tests what changed");
        return Ok(ExitCode::SUCCESS);
    }
    ensure!(arguments.url.is_none() || arguments.parts == ["gateway"], "--url is of ./mart test gateway alone");
    let gateway =
        [("GATEWAY_URL", arguments.url), ("GATEWAY_ADMIN", arguments.admin), ("GATEWAY_UPSTREAM", arguments.upstream)];
    let gateway = gateway.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let asked = Asked {
        filter: arguments.filter,
        gateway,
        whole: arguments.parts.is_empty() && arguments.changed.is_none(),
        changed: arguments.changed.is_some(),
    };
    let mut signals = ShutdownSignals::new()?;
    tokio::select! {
        done = all(&chosen, &asked) => done,
        () = signals.next() => bail!("interrupted"),
    }
}

fn list(parts: &[Part]) {
    outln!("{:<12} {}: no server", "quick", QUICK.join(", "));
    let nightly: Vec<&str> = parts.iter().filter(|part| !part.ci).map(|part| part.name.as_str()).collect();
    outln!("{:<12} {}: what is too slow for each change", "nightly", nightly.join(", "));
    for part in parts {
        let when = if part.ci { "" } else { " - nightly" };
        outln!("{:<12} {} ({} s at most){when}", part.name, part.says, part.budget);
    }
}

fn choose(parts: Vec<Part>, names: &[String], services: &[String]) -> Result<Vec<Part>> {
    for name in names {
        let known = ["quick", "nightly"].contains(&name.as_str()) || parts.iter().any(|part| part.name == *name);
        ensure!(known, "there is no part {name:?}: ./mart test --list shows them");
    }
    let named = |part: &Part| {
        names.iter().any(|name| match name.as_str() {
            "quick" => QUICK.contains(&part.name.as_str()),
            "nightly" => !part.ci,
            name => part.name == name,
        })
    };
    let of_services: BTreeSet<String> = names
        .iter()
        .filter(|name| services.contains(name))
        .flat_map(|name| [format!("{name}-core"), format!("{name}-service")])
        .collect();
    let wanted = |part: Part| {
        if names.is_empty() {
            return part.ci.then_some(part);
        }
        if named(&part) {
            return Some(part);
        }
        // A service's rules and features are tested with it.
        let its = ["core", "features"].contains(&part.name.as_str());
        part.only(&|package| its && of_services.contains(package))
    };
    Ok(parts.into_iter().filter_map(wanted).collect())
}

/// The longest budget of a part that `--changed` runs, in seconds.
const SOON: u64 = 200;

/// The parts that a change since a commit reaches.
async fn reached(parts: Vec<Part>, commit: &str) -> Result<Vec<Part>> {
    let crates = Graph::read().await?;
    let files = graph::files(commit).await?;
    let changed = crates.packages(&files);
    let packages = crates.reached(&changed);
    outln!(
        "{} files changed, of {}",
        files.len(),
        if changed.is_empty() { "no crate".to_owned() } else { join(&changed) }
    );
    outln!("reached: {}", join(&packages));
    let (mut chosen, mut later) = (Vec::new(), Vec::new());
    for part in parts.into_iter().filter(|part| part.ci) {
        let formats =
            part.name == "format" && files.iter().any(|file| file.extension().is_some_and(|ending| ending == "rs"));
        let budget = part.budget;
        if formats {
            chosen.push(part);
        } else if let Some(part) = part.only(&|package| packages.contains(package)) {
            if budget <= SOON { chosen.push(part) } else { later.push(part.name) }
        }
    }
    let others = crates.others(&files);
    if !others.is_empty() {
        outln!("of no crate, and not tested here: {} files; ./mart test docs lint up journey", others.len());
    }
    if !packages.is_empty() {
        later.extend(["clippy", "rustdoc"].map(str::to_owned));
        outln!("not run, though reached: ./mart test {}", later.join(" "));
    }
    Ok(chosen)
}

fn join(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

async fn all(chosen: &[Part], asked: &Asked) -> Result<ExitCode> {
    let names: Vec<&str> = chosen.iter().map(|part| part.name.as_str()).collect();
    outln!("running {}", names.join(", "));
    let started = Instant::now();
    // Others leave them time enough while they build and wait. Who needs one waits for it.
    tokio::spawn(toolchain::get_all(tools(chosen)));
    let packages: BTreeSet<&str> = chosen.iter().flat_map(Part::packages).collect();
    let mut done = Vec::new();
    let mut tests = Vec::new();
    if !packages.is_empty() {
        let begun = Instant::now();
        outln!("building the tests");
        tests = build(if asked.whole { None } else { Some(&packages) }).await?;
        outln!("built in {} s", begun.elapsed().as_secs());
    }
    // What is about a change has no part that calls cargo for long: what waits for servers has a lane to itself.
    let lane = |part: &Part| {
        if asked.changed { if part.servers { Lane::Cargo } else { Lane::Tests } } else { part.lane() }
    };
    let lanes = [Lane::Cargo, Lane::Tests].map(|of| chosen.iter().filter(|part| lane(part) == of).collect::<Vec<_>>());
    // What two say at once nobody can read.
    let live = lanes.iter().any(Vec::is_empty);
    let [cargo, programs] = &lanes;
    let (first, second) = tokio::join!(run_lane(cargo, &tests, asked, live), run_lane(programs, &tests, asked, live));
    done.extend(first?);
    done.extend(second?);
    report::table(&done);
    let took = started.elapsed();
    outln!("\nin all {} s; {}", took.as_secs(), report::junit(&done, took)?.display());
    let failed: Vec<&str> = done.iter().filter(|done| done.counts.failed > 0).map(|done| done.name.as_str()).collect();
    if failed.is_empty() {
        std::fs::remove_dir_all(log::folder()).ok();
    } else {
        for done in done.iter().filter(|done| done.counts.failed > 0) {
            outln!("\n== failed in {}\n{}", done.name, done.failures);
        }
        outln!("\nfailed: {}; run one again by ./mart test PART", failed.join(", "));
        outln!("all that they said: {}", log::folder().display());
    }
    let mut total = Counts::default();
    for done in &done {
        total.add(done.counts);
    }
    outln!("{} passed, {} failed, {} skipped", total.passed, total.failed, total.skipped);
    Ok(if total.failed == 0 && total.skipped == 0 && total.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The tools that some parts need.
fn tools(chosen: &[Part]) -> Vec<Tool> {
    let mut tools = Vec::new();
    for part in chosen {
        match &part.run {
            Run::Lint => tools.extend([
                Tool::Compose,
                Tool::Actionlint,
                Tool::ApiTools,
                Tool::Buf,
                Tool::Hadolint,
                Tool::CargoDeny,
            ]),
            Run::Tests(packages) if packages.iter().any(|package| package == "martgen") => tools.push(Tool::Buf),
            Run::Tests(packages) if packages.iter().any(|package| package == "payment-service") => {
                tools.push(Tool::StripeMock);
            }
            _ => {}
        }
    }
    if chosen.iter().any(|part| part.servers) {
        tools.splice(0..0, SERVERS);
    }
    tools
}

/// Runs parts one after the other.
async fn run_lane(parts: &[&Part], tests: &[Built], asked: &Asked, live: bool) -> Result<Vec<Done>> {
    let mut servers: Option<Servers> = None;
    let mut done = Vec::new();
    for part in parts {
        let begun = Instant::now();
        let log = Log::new(&part.name)?;
        outln!("{}== {}: {}", if live { "\n" } else { "" }, part.name, part.says);
        if part.servers && servers.is_none() {
            servers = Some(Box::pin(Servers::start()).await?);
        }
        let running = one(part, tests, servers.as_ref().filter(|_| part.servers), asked, &log);
        let counts = if live { log.shown(running).await?? } else { running.await? };
        let took = begun.elapsed();
        if !live {
            outln!("\n== {}: {}\n{}", part.name, part.says, log.since(0)?.trim_end());
        }
        outln!("-- {}: {} passed, {} failed, {} s", part.name, counts.passed, counts.failed, took.as_secs());
        done.push(Done::new(part, counts, took, &log.since(0)?));
    }
    if let Some(servers) = servers {
        servers.stop().await;
    }
    Ok(done)
}

async fn one(part: &Part, tests: &[Built], servers: Option<&Servers>, asked: &Asked, log: &Log) -> Result<Counts> {
    match &part.run {
        Run::Check(words, fix) => check(words, fix, log).await,
        Run::Tests(packages) | Run::Features(packages, _) => {
            let mut env: Vec<(&str, &str)> = Vec::new();
            if let Run::Features(_, level) = &part.run {
                env.extend(*level);
                env.extend(asked.changed.then_some(("SEED", "1")));
            }
            if let Some(servers) = servers {
                env.extend(servers.env.iter().map(|(name, value)| (*name, value.as_str())));
            }
            let features = matches!(part.run, Run::Features(..));
            if packages.iter().any(|package| package == "martgen") {
                // check --against asks it what breaks clients.
                toolchain::get(Tool::Buf).await?;
            }
            let mut counts = Counts::default();
            let mut found = false;
            let of_part = |test: &&Built| packages.contains(&test.package) && (test.target == "features") == features;
            for test in tests.iter().filter(of_part).filter(|test| test.target != GATEWAY) {
                found = true;
                counts.add(test.run(&env, &asked.filter, log).await?);
            }
            ensure!(found, "there are no tests of {}", packages.join(", "));
            Ok(counts)
        }
        Run::Gateway => {
            let test = tests.iter().find(|test| test.target == GATEWAY).context("there are no tests of the gateway")?;
            let env: Vec<(&str, &str)> = asked.gateway.iter().map(|(name, value)| (*name, value.as_str())).collect();
            test.run(&env, &asked.filter, log).await
        }
        Run::Lint => lint(log).await,
        Run::Mutants(cores) => mutants(cores, log).await,
        Run::Script(words) => {
            let words = [&["python3"], *words].concat();
            check(&words, "the lines above say what was expected", log).await
        }
    }
}

async fn check(words: &[&str], fix: &str, log: &Log) -> Result<Counts> {
    let (program, arguments) = words.split_first().context("a check has a command")?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(devstack::root());
    command.env("RUSTDOCFLAGS", "-D warnings").env("REDOCLY_TELEMETRY", "off").env("PYTHONUNBUFFERED", "1");
    let passed = log.run(&mut command).await?.success();
    if !passed {
        log.say(&format!("failed: {}\n  to fix it: {fix}", words.join(" ")))?;
    }
    Ok(Counts::of(passed))
}

async fn mutants(cores: &[String], log: &Log) -> Result<Counts> {
    let mut words = vec!["cargo", "mutants", "--all-features", "--package", "mart-kernel"];
    words.extend(cores.iter().flat_map(|core| ["--package", core.as_str()]));
    check(
        &words,
        "a survivor needs a test, or a reason in .cargo/mutants.toml; cargo install cargo-mutants brings the tool",
        log,
    )
    .await
}
