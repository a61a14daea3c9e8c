//! `./mart test`: everything that CI runs, in parts.

mod lint;
mod parts;
mod servers;

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use devstack::parts::Part as Tool;
use devstack::{process, root, say};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::Stops;
use lint::lint;
use parts::{Part, Run};
use servers::Servers;

/// Run the checks and tests that CI runs.
///
/// Without a name, everything; `quick` is what needs no server.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Parts to run, or `quick`.
    parts: Vec<String>,
    /// Say what parts there are.
    #[arg(long)]
    list: bool,
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
    let parts = parts::all(&devstack::service::all()?);
    if arguments.list {
        say!("quick        format, clippy, rustdoc, martgen, kernel, proto, core, features, tools: no server");
        for part in &parts {
            say!("{:<12} {}{}", part.name, part.says, if part.ci { "" } else { " - not in CI" });
        }
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = choose(parts, &arguments.parts)?;
    ensure!(arguments.url.is_none() || arguments.parts == ["gateway"], "--url is of ./mart test gateway alone");
    let gateway =
        [("GATEWAY_URL", arguments.url), ("GATEWAY_ADMIN", arguments.admin), ("GATEWAY_UPSTREAM", arguments.upstream)];
    let gateway = gateway.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let asked = Asked { filter: arguments.filter, gateway };
    let mut stops = Stops::new()?;
    tokio::select! {
        done = all(&chosen, &asked) => done,
        () = stops.next() => bail!("interrupted"),
    }
}

fn choose(parts: Vec<Part>, names: &[String]) -> Result<Vec<Part>> {
    for name in names {
        let known = name == "quick" || parts.iter().any(|part| part.name == *name);
        ensure!(known, "there is no part {name:?}: ./mart test --list shows them");
    }
    let quick = ["format", "clippy", "rustdoc", "martgen", "kernel", "proto", "core", "features", "tools"];
    let wanted = |part: &Part| {
        if names.is_empty() {
            return part.ci;
        }
        names.iter().any(|name| *name == part.name || name == "quick" && quick.contains(&part.name.as_str()))
    };
    Ok(parts.into_iter().filter(wanted).collect())
}

async fn all(chosen: &[Part], asked: &Asked) -> Result<ExitCode> {
    let names: Vec<&str> = chosen.iter().map(|part| part.name.as_str()).collect();
    say!("running {}", names.join(", "));
    let minutes: u32 = chosen.iter().map(|part| part.minutes).sum();
    say!("about {minutes} minutes on 2 cores, and up to 8 more where nothing is built yet");
    let started = Instant::now();
    if chosen.iter().any(|part| matches!(part.run, Run::Lint)) {
        // It takes minutes to build, and others leave it time enough while they wait. Who needs it waits for it.
        tokio::spawn(Tool::Compose.get());
    }
    let mut total = Counts::default();
    let mut failed = Vec::new();
    let mut tests: Option<Vec<Built>> = None;
    let mut servers: Option<Servers> = None;
    for part in chosen {
        let begun = Instant::now();
        say!("\n== {}: {}", part.name, part.says);
        if matches!(part.run, Run::Tests(_) | Run::Features(..) | Run::Gateway) && tests.is_none() {
            tests = Some(build().await?);
        }
        if part.servers && servers.is_none() {
            servers = Some(Servers::start().await?);
        }
        let servers = servers.as_ref().filter(|_| part.servers);
        let counts = one(part, tests.as_deref().unwrap_or_default(), servers, asked).await?;
        if counts.failed > 0 {
            failed.push(part.name.as_str());
        }
        say!("-- {}: {} passed, {} failed, {} s", part.name, counts.passed, counts.failed, begun.elapsed().as_secs());
        total.add(counts);
    }
    if let Some(servers) = servers {
        servers.stop().await;
    }
    say!("\n{} s", started.elapsed().as_secs());
    if !failed.is_empty() {
        say!("failed: {}; run one again by ./mart test PART", failed.join(", "));
    }
    say!("{} passed, {} failed, {} skipped", total.passed, total.failed, total.skipped);
    Ok(if total.failed == 0 && total.skipped == 0 && total.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn one(part: &Part, tests: &[Built], servers: Option<&Servers>, asked: &Asked) -> Result<Counts> {
    match &part.run {
        Run::Check(words, mend) => check(words, mend).await,
        Run::Tests(packages) | Run::Features(packages, _) => {
            let mut env: Vec<(&str, &str)> = Vec::new();
            if let Run::Features(_, level) = &part.run {
                env.extend(*level);
            }
            if let Some(servers) = servers {
                env.extend(servers.env.iter().map(|(name, value)| (*name, value.as_str())));
            }
            let features = matches!(part.run, Run::Features(..));
            if packages.iter().any(|package| package == "martgen") {
                // check --against asks it what breaks clients.
                devstack::parts::Part::Buf.get().await?;
            }
            let mut counts = Counts::default();
            let mut found = false;
            let of_part = |test: &&Built| packages.contains(&test.package) && (test.target == "features") == features;
            for test in tests.iter().filter(of_part).filter(|test| test.target != GATEWAY) {
                found = true;
                counts.add(test.run(&env, &asked.filter).await?);
            }
            ensure!(found, "there are no tests of {}", packages.join(", "));
            Ok(counts)
        }
        Run::Gateway => {
            let test = tests.iter().find(|test| test.target == GATEWAY).context("there are no tests of the gateway")?;
            let env: Vec<(&str, &str)> = asked.gateway.iter().map(|(name, value)| (*name, value.as_str())).collect();
            test.run(&env, &asked.filter).await
        }
        Run::Lint => lint().await,
        Run::Mutants(cores) => mutants(cores).await,
        Run::Script(path) => check(&["python3", path], "the lines above say what was expected").await,
    }
}

async fn check(words: &[&str], mend: &str) -> Result<Counts> {
    let (program, arguments) = words.split_first().context("a check has a command")?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root()).env("RUSTDOCFLAGS", "-D warnings").env("REDOCLY_TELEMETRY", "off");
    let passed = process::show(&mut command).await?.success();
    if !passed {
        say!("failed: {}\n  to mend it: {mend}", words.join(" "));
    }
    Ok(Counts::of(passed))
}

/// A test program, built.
struct Built {
    package: String,
    /// Its name: `features` runs a service's features.
    target: String,
    folder: PathBuf,
    program: PathBuf,
}

/// Builds all tests of the workspace at once, so that every dependency is built once, with one set of features.
async fn build() -> Result<Vec<Built>> {
    say!("building the tests");
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root()).args([
        "test",
        "--workspace",
        "--all-features",
        "--no-run",
        "--message-format=json-render-diagnostics",
    ]);
    let told = process::build(&mut cargo).await?;
    let built = |line: &str| -> Option<Built> {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let program = PathBuf::from(message["executable"].as_str()?);
        if message["profile"]["test"] != true && message["target"]["kind"][0] != "test" {
            return None;
        }
        let manifest = Path::new(message["manifest_path"].as_str()?);
        let text = std::fs::read_to_string(manifest).ok()?;
        let package = text.lines().find_map(|line| line.strip_prefix("name = "))?.trim_matches('"').to_owned();
        let target = match message["target"]["kind"][0].as_str() {
            Some("test") => message["target"]["name"].as_str()?.to_owned(),
            _ => String::new(),
        };
        Some(Built { package, target, folder: manifest.parent()?.to_owned(), program })
    };
    Ok(told.lines().filter_map(built).collect())
}

impl Built {
    /// Runs it, shows what it prints, and counts by its last line.
    async fn run(&self, env: &[(&str, &str)], filter: &[String]) -> Result<Counts> {
        let mut words = vec!["setpriv", "--pdeathsig", "TERM", "--"];
        let program = self.program.display().to_string();
        words.push(&program);
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(filter).current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::piped());
        command.process_group(0).kill_on_drop(true).env("CARGO_MANIFEST_DIR", &self.folder);
        command.envs(env.iter().copied());
        let mut child = command.spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("its output is piped")?).lines();
        let mut counts = Counts::default();
        while let Some(line) = lines.next_line().await? {
            say!("{line}");
            if let Some(rest) = line.strip_prefix("test result: ") {
                let number = |what: &str| -> usize {
                    let before = rest.split(&format!(" {what}")).next().and_then(|text| text.rsplit(' ').next());
                    before.and_then(|number| number.parse().ok()).unwrap_or(0)
                };
                counts.add(Counts { passed: number("passed"), failed: number("failed"), skipped: number("ignored") });
            }
        }
        // A program that died said nothing of its failures.
        if !child.wait().await?.success() && counts.failed == 0 {
            say!("{} ended badly", self.program.display());
            counts.failed = 1;
        }
        Ok(counts)
    }
}

async fn mutants(cores: &[String]) -> Result<Counts> {
    let mut words = vec!["cargo", "mutants", "--all-features", "--package", "mart-kernel"];
    words.extend(cores.iter().flat_map(|core| ["--package", core.as_str()]));
    check(
        &words,
        "a survivor needs a test, or a reason in .cargo/mutants.toml; cargo install cargo-mutants brings the tool",
    )
    .await
}
