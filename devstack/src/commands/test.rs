//! `./mart test`: runs what CI runs, in parts.

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
use build::{TestProgram, build};
use lint::lint;
use log::Log;
use parts::{Lane, Part, QUICK, Run};
use report::PartResult;
use servers::Servers;

/// Run the checks and tests of CI, or some of them.
///
/// Without PARTS, it runs what CI runs for each change. `quick` runs the parts that need no server, `nightly` those that CI runs at
/// night. The name of a service runs its core's tests, its scenarios in memory and its tests on real servers.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The parts to run, `quick` or `nightly`; see --list.
    parts: Vec<String>,
    /// List the parts.
    #[arg(long)]
    list: bool,
    /// Run the parts that a change since COMMIT can affect by the crate graph. Slow parts are named instead of run. The default is
    /// HEAD, which means the uncommitted changes.
    #[arg(long, value_name = "COMMIT", num_args = 0..=1, require_equals = true, default_missing_value = "HEAD", conflicts_with = "parts")]
    changed: Option<String>,
    /// For the part gateway: test this gateway instead of the devstack's, such as a real Kong at http://127.0.0.1:8000.
    #[arg(long, requires = "parts")]
    url: Option<String>,
    /// With --url: the gateway's Admin API, such as http://127.0.0.1:8001, to load each file with. Without it, only the mart's
    /// own file is tested, after you have loaded it.
    #[arg(long, requires = "url", value_name = "URL")]
    admin: Option<String>,
    /// With --url: the name of this machine for that gateway, such as host.docker.internal.
    #[arg(long, requires = "url", value_name = "HOST")]
    upstream: Option<String>,
    /// Arguments for the test programs, such as a part of a test's name.
    #[arg(last = true)]
    filter: Vec<String>,
}

/// The test target of the gateway, which is a part of its own.
const GATEWAY: &str = "gateway";

/// The options of a run.
struct Options {
    /// The arguments of the test programs.
    filter: Vec<String>,
    /// The environment variables that select the gateway.
    gateway: Vec<(&'static str, String)>,
    /// Whether the run includes everything that CI runs.
    complete: bool,
    /// Whether the run tests a change. Scenarios then run with one seed.
    changed: bool,
}

/// The numbers of tests that passed, failed and were skipped.
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
        Some(commit) => affected(parts, commit).await?,
        None => choose(parts, &arguments.parts, &services)?,
    };
    if chosen.is_empty() {
        outln!("no part tests this change, apart from those above");
        return Ok(ExitCode::SUCCESS);
    }
    ensure!(arguments.url.is_none() || arguments.parts == ["gateway"], "--url works with ./mart test gateway only");
    let gateway =
        [("GATEWAY_URL", arguments.url), ("GATEWAY_ADMIN", arguments.admin), ("GATEWAY_UPSTREAM", arguments.upstream)];
    let gateway = gateway.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let options = Options {
        filter: arguments.filter,
        gateway,
        complete: arguments.parts.is_empty() && arguments.changed.is_none(),
        changed: arguments.changed.is_some(),
    };
    let mut signals = ShutdownSignals::new()?;
    tokio::select! {
        result = run_parts(&chosen, &options) => result,
        () = signals.next() => bail!("interrupted"),
    }
}

fn list(parts: &[Part]) {
    outln!("{:<12} the parts that need no server: {}", "quick", QUICK.join(", "));
    let nightly: Vec<&str> = parts.iter().filter(|part| !part.ci).map(|part| part.name.as_str()).collect();
    outln!("{:<12} the parts that are too slow for each change: {}", "nightly", nightly.join(", "));
    for part in parts {
        let when = if part.ci { "" } else { ", nightly" };
        outln!("{:<12} {} (budget {} s{when})", part.name, part.description, part.budget);
    }
}

fn choose(parts: Vec<Part>, names: &[String], services: &[String]) -> Result<Vec<Part>> {
    for name in names {
        let known = ["quick", "nightly"].contains(&name.as_str()) || parts.iter().any(|part| part.name == *name);
        ensure!(known, "unknown part {name:?}: ./mart test --list prints all");
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
        // The name of a service includes its core's tests and its scenarios.
        let by_package = ["core", "features"].contains(&part.name.as_str());
        part.only(&|package| by_package && of_services.contains(package))
    };
    Ok(parts.into_iter().filter_map(wanted).collect())
}

/// The largest budget of a part that `--changed` runs, in seconds.
const MAX_BUDGET: u64 = 200;

/// Returns the parts that a change since a commit affects.
async fn affected(parts: Vec<Part>, commit: &str) -> Result<Vec<Part>> {
    let crates = Graph::read().await?;
    let files = graph::files(commit).await?;
    let changed = crates.packages(&files);
    let packages = crates.affected(&changed);
    outln!(
        "{} changed files, in {}",
        files.len(),
        if changed.is_empty() { "no crate".to_owned() } else { join(&changed) }
    );
    outln!("affected: {}", join(&packages));
    let (mut chosen, mut slow) = (Vec::new(), Vec::new());
    for part in parts.into_iter().filter(|part| part.ci) {
        let formats =
            part.name == "format" && files.iter().any(|file| file.extension().is_some_and(|ending| ending == "rs"));
        let budget = part.budget;
        if formats {
            chosen.push(part);
        } else if let Some(part) = part.only(&|package| packages.contains(package)) {
            if budget <= MAX_BUDGET { chosen.push(part) } else { slow.push(part.name) }
        }
    }
    let others = crates.others(&files);
    if !others.is_empty() {
        outln!("{} files belong to no crate; test them with ./mart test docs lint up journey", others.len());
    }
    if !packages.is_empty() {
        slow.extend(["clippy", "rustdoc"].map(str::to_owned));
        outln!("affected but slow, so not run: ./mart test {}", slow.join(" "));
    }
    Ok(chosen)
}

fn join(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

async fn run_parts(chosen: &[Part], options: &Options) -> Result<ExitCode> {
    let names: Vec<&str> = chosen.iter().map(|part| part.name.as_str()).collect();
    outln!("running {}", names.join(", "));
    let started = Instant::now();
    // Fetches the tools in the background. A part that needs one waits for it.
    tokio::spawn(toolchain::get_all(tools(chosen)));
    let packages: BTreeSet<&str> = chosen.iter().flat_map(Part::packages).collect();
    let mut results = Vec::new();
    let mut tests = Vec::new();
    if !packages.is_empty() {
        let begun = Instant::now();
        outln!("building the tests");
        tests = build(if options.complete { None } else { Some(&packages) }).await?;
        outln!("built in {} s", begun.elapsed().as_secs());
    }
    // A run for a change has no part that calls cargo for long, so parts that wait for servers get the other lane.
    let lane = |part: &Part| {
        if options.changed { if part.servers { Lane::Cargo } else { Lane::Tests } } else { part.lane() }
    };
    let lanes = [Lane::Cargo, Lane::Tests].map(|of| chosen.iter().filter(|part| lane(part) == of).collect::<Vec<_>>());
    // Output is printed live only if one lane runs: that of two lanes would be mixed.
    let live = lanes.iter().any(Vec::is_empty);
    let [cargo, programs] = &lanes;
    let (first, second) =
        tokio::join!(run_lane(cargo, &tests, options, live), run_lane(programs, &tests, options, live));
    results.extend(first?);
    results.extend(second?);
    report::table(&results);
    let took = started.elapsed();
    outln!("\n{} s in total; results are in {}", took.as_secs(), report::junit(&results, took)?.display());
    let failed: Vec<&PartResult> = results.iter().filter(|result| result.counts.failed > 0).collect();
    if failed.is_empty() {
        std::fs::remove_dir_all(log::folder()).ok();
    } else {
        for result in &failed {
            outln!("\n== failures in {}\n{}", result.name, result.failures);
        }
        let names: Vec<&str> = failed.iter().map(|result| result.name.as_str()).collect();
        outln!("\nfailed: {}; run one again with ./mart test PART", names.join(", "));
        outln!("complete logs: {}", log::folder().display());
    }
    let mut total = Counts::default();
    for result in &results {
        total.add(result.counts);
    }
    outln!("{} passed, {} failed, {} skipped", total.passed, total.failed, total.skipped);
    Ok(if total.failed == 0 && total.skipped == 0 && total.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns the tools that the parts need.
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

/// Runs parts one after the other. Prints their output live, or each part's when it has finished.
async fn run_lane(parts: &[&Part], tests: &[TestProgram], options: &Options, live: bool) -> Result<Vec<PartResult>> {
    let mut servers: Option<Servers> = None;
    let mut results = Vec::new();
    for part in parts {
        let begun = Instant::now();
        let log = Log::new(&part.name)?;
        outln!("{}== {}: {}", if live { "\n" } else { "" }, part.name, part.description);
        if part.servers && servers.is_none() {
            servers = Some(Box::pin(Servers::start()).await?);
        }
        let running = run_part(part, tests, servers.as_ref().filter(|_| part.servers), options, &log);
        let counts = if live { log.follow(running).await?? } else { running.await? };
        let took = begun.elapsed();
        if !live {
            outln!("\n== {}: {}\n{}", part.name, part.description, log.since(0)?.trim_end());
        }
        outln!("-- {}: {} passed, {} failed, {} s", part.name, counts.passed, counts.failed, took.as_secs());
        results.push(PartResult::new(part, counts, took, &log.since(0)?));
    }
    if let Some(servers) = servers {
        servers.stop().await;
    }
    Ok(results)
}

async fn run_part(
    part: &Part,
    tests: &[TestProgram],
    servers: Option<&Servers>,
    options: &Options,
    log: &Log,
) -> Result<Counts> {
    match &part.run {
        Run::Check(words, fix) => check(words, fix, log).await,
        Run::Tests(packages) | Run::Features(packages, _) => {
            let mut env: Vec<(&str, &str)> = Vec::new();
            if let Run::Features(_, level) = &part.run {
                env.extend(*level);
                env.extend(options.changed.then_some(("SEED", "1")));
            }
            if let Some(servers) = servers {
                env.extend(servers.env.iter().map(|(name, value)| (*name, value.as_str())));
            }
            let features = matches!(part.run, Run::Features(..));
            if packages.iter().any(|package| package == "martgen") {
                // martgen check --against runs buf.
                toolchain::get(Tool::Buf).await?;
            }
            let mut counts = Counts::default();
            let mut found = false;
            let of_part =
                |test: &&TestProgram| packages.contains(&test.package) && (test.target == "features") == features;
            for test in tests.iter().filter(of_part).filter(|test| test.target != GATEWAY) {
                found = true;
                counts.add(test.run(&env, &options.filter, log).await?);
            }
            ensure!(found, "no test program was built for {}", packages.join(", "));
            Ok(counts)
        }
        Run::Gateway => {
            let test = tests.iter().find(|test| test.target == GATEWAY);
            let test = test.context("no test program was built for the gateway")?;
            let env: Vec<(&str, &str)> = options.gateway.iter().map(|(name, value)| (*name, value.as_str())).collect();
            test.run(&env, &options.filter, log).await
        }
        Run::Lint => lint(log).await,
        Run::Mutants(cores) => mutants(cores, log).await,
        Run::Script(words) => {
            let words = [&["python3"], *words].concat();
            check(&words, "the message above names the unmet expectation", log).await
        }
    }
}

/// Runs a command as a single test. `fix` is the advice that is logged if it fails.
async fn check(words: &[&str], fix: &str, log: &Log) -> Result<Counts> {
    let (program, arguments) = words.split_first().context("the check has no command")?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(devstack::root());
    command.env("RUSTDOCFLAGS", "-D warnings").env("REDOCLY_TELEMETRY", "off").env("PYTHONUNBUFFERED", "1");
    let passed = log.run(&mut command).await?.success();
    if !passed {
        log.write_line(&format!("failed: {}\n  to fix it: {fix}", words.join(" ")))?;
    }
    Ok(Counts::of(passed))
}

async fn mutants(cores: &[String], log: &Log) -> Result<Counts> {
    let mut words = vec!["cargo", "mutants", "--all-features", "--package", "mart-kernel"];
    words.extend(cores.iter().flat_map(|core| ["--package", core.as_str()]));
    check(
        &words,
        "test what the surviving mutants change, or exclude them in .cargo/mutants.toml with a reason (the tool is missing? \
         cargo install cargo-mutants)",
        log,
    )
    .await
}
