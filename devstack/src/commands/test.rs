//! `./mart test`: everything that CI runs, in parts.

use devstack::say;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use devstack::kafka::Kafka;
use devstack::parts::Part as Tool;
use devstack::postgres::{Durability, Postgres};
use devstack::{ports, process, root, state, testing};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::Stops;

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
    /// Arguments of the test programs, such as a part of a test's name.
    #[arg(last = true)]
    filter: Vec<String>,
}

/// How a part is run.
enum Run {
    /// A command that passes or fails as a whole: what it checks, its words, and how to mend it.
    Check(&'static [&'static str], &'static str),
    /// The tests of packages.
    Tests(&'static [&'static str]),
    /// Tools over contracts, Dockerfiles and workflows.
    Lint,
    /// `./mart test mutants`.
    Mutants,
    /// A script of tests/, with the name of the thing that it proves.
    Script(&'static str),
}

struct Part {
    name: &'static str,
    says: &'static str,
    /// How long it takes on 2 cores, rounded up, once its dependencies are built.
    minutes: u32,
    /// Whether it needs PostgreSQL and Kafka.
    servers: bool,
    /// Whether CI runs it.
    ci: bool,
    run: Run,
}

const PARTS: &[Part] = &[
    Part {
        name: "format",
        minutes: 1,
        says: "cargo fmt --check",
        servers: false,
        ci: true,
        run: Run::Check(&["cargo", "fmt", "--all", "--check"], "run: cargo fmt --all"),
    },
    Part {
        name: "clippy",
        minutes: 1,
        says: "clippy over everything, warnings are errors",
        servers: false,
        ci: true,
        run: Run::Check(
            &["cargo", "clippy", "--quiet", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"],
            "mend what it names; an exception needs #[expect(…, reason = …)]",
        ),
    },
    Part {
        name: "rustdoc",
        minutes: 1,
        says: "the crates' documentation, without warnings",
        servers: false,
        ci: true,
        run: Run::Check(
            &["cargo", "doc", "--quiet", "--workspace", "--no-deps", "--all-features"],
            "mend the links and comments that it names",
        ),
    },
    Part {
        name: "lint",
        minutes: 1,
        says: "cargo deny; buf, hadolint and actionlint over contracts, Dockerfiles and workflows",
        servers: false,
        ci: true,
        run: Run::Lint,
    },
    Part {
        name: "kernel",
        minutes: 1,
        says: "value types",
        servers: false,
        ci: true,
        run: Run::Tests(&["mart-kernel"]),
    },
    Part {
        name: "proto",
        minutes: 1,
        says: "JSON and field rules",
        servers: false,
        ci: true,
        run: Run::Tests(&["mart-proto"]),
    },
    Part {
        name: "core",
        minutes: 1,
        says: "the services' rules",
        servers: false,
        ci: true,
        run: Run::Tests(&["product-core"]),
    },
    Part {
        name: "features",
        minutes: 1,
        says: "the rules in the words of the business",
        servers: false,
        ci: true,
        run: Run::Tests(&["features"]),
    },
    Part {
        name: "tools",
        minutes: 1,
        says: "the devstack itself, and the shape of the tree",
        servers: false,
        ci: true,
        run: Run::Tests(&["devstack"]),
    },
    Part {
        name: "chassis",
        minutes: 1,
        says: "HTTP edge, commit, relay and consumer under faults",
        servers: true,
        ci: true,
        run: Run::Tests(&["mart-chassis", "shelf-service"]),
    },
    Part {
        name: "product",
        minutes: 2,
        says: "the product service on real servers",
        servers: true,
        ci: true,
        run: Run::Tests(&["product-service"]),
    },
    Part {
        name: "up",
        minutes: 5,
        says: "./mart up under Ctrl-C, and every command beside it",
        servers: false,
        ci: true,
        run: Run::Script("tests/up.py"),
    },
    Part {
        name: "docs",
        minutes: 3,
        says: "every command of README, CONTRIBUTING and AGENTS in a clone",
        servers: false,
        ci: true,
        run: Run::Script("tests/docs.py"),
    },
    Part {
        name: "bench",
        minutes: 1,
        says: "the benchmarks, one second each",
        servers: false,
        ci: true,
        run: Run::Check(&["./mart", "bench", "--smoke"], "see bench/README.md"),
    },
    Part {
        name: "mutants",
        minutes: 30,
        says: "cargo-mutants over kernel and product-core (long)",
        servers: false,
        ci: false,
        run: Run::Mutants,
    },
];

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
    if arguments.list {
        say!("quick        format, clippy, rustdoc, kernel, proto, core, features, tools: no server, no network");
        for part in PARTS {
            say!("{:<12} {}{}", part.name, part.says, if part.ci { "" } else { " - not in CI" });
        }
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = choose(&arguments.parts)?;
    let mut stops = Stops::new()?;
    tokio::select! {
        done = all(&chosen, &arguments.filter) => done,
        () = stops.next() => bail!("interrupted"),
    }
}

fn choose(names: &[String]) -> Result<Vec<&'static Part>> {
    for name in names {
        let known = name == "quick" || PARTS.iter().any(|part| part.name == name);
        ensure!(known, "there is no part {name:?}: ./mart test --list shows them");
    }
    let quick = ["format", "clippy", "rustdoc", "kernel", "proto", "core", "features", "tools"];
    let wanted = |part: &&Part| {
        if names.is_empty() {
            return part.ci;
        }
        names.iter().any(|name| name == part.name || name == "quick" && quick.contains(&part.name))
    };
    Ok(PARTS.iter().filter(wanted).collect())
}

async fn all(chosen: &[&Part], filter: &[String]) -> Result<ExitCode> {
    let names: Vec<&str> = chosen.iter().map(|part| part.name).collect();
    say!("running {}", names.join(", "));
    let minutes: u32 = chosen.iter().map(|part| part.minutes).sum();
    say!("about {minutes} minutes on 2 cores, and up to 8 more where nothing is built yet");
    let started = Instant::now();
    let mut total = Counts::default();
    let mut failed = Vec::new();
    let mut tests: Option<Vec<Built>> = None;
    let mut servers: Option<Servers> = None;
    for part in chosen {
        let begun = Instant::now();
        say!("\n== {}: {}", part.name, part.says);
        if matches!(part.run, Run::Tests(_)) && tests.is_none() {
            tests = Some(build().await?);
        }
        if part.servers && servers.is_none() {
            servers = Some(Servers::start().await?);
        }
        let counts = one(part, tests.as_deref().unwrap_or_default(), servers.as_ref(), filter).await?;
        if counts.failed > 0 {
            failed.push(part.name);
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

async fn one(part: &Part, tests: &[Built], servers: Option<&Servers>, filter: &[String]) -> Result<Counts> {
    match &part.run {
        Run::Check(words, mend) => check(words, mend).await,
        Run::Tests(packages) => {
            let mut counts = Counts::default();
            let mut found = false;
            for test in tests.iter().filter(|test| packages.contains(&test.package.as_str())) {
                found = true;
                counts.add(test.run(servers, filter).await?);
            }
            ensure!(found, "there are no tests of {}", packages.join(", "));
            Ok(counts)
        }
        Run::Lint => lint().await,
        Run::Mutants => mutants().await,
        Run::Script(path) => check(&["python3", path], "the lines above say what was expected").await,
    }
}

async fn check(words: &[&str], mend: &str) -> Result<Counts> {
    let (program, arguments) = words.split_first().context("a check has a command")?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root()).env("RUSTDOCFLAGS", "-D warnings");
    let passed = process::show(&mut command).await?.success();
    if !passed {
        say!("failed: {}\n  to mend it: {mend}", words.join(" "));
    }
    Ok(Counts::of(passed))
}

/// A test program, built.
struct Built {
    package: String,
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
        Some(Built { package, folder: manifest.parent()?.to_owned(), program })
    };
    Ok(told.lines().filter_map(built).collect())
}

impl Built {
    /// Runs it, shows what it prints, and counts by its last line.
    async fn run(&self, servers: Option<&Servers>, filter: &[String]) -> Result<Counts> {
        let mut words = vec!["setpriv", "--pdeathsig", "TERM", "--"];
        let program = self.program.display().to_string();
        words.push(&program);
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(filter).current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::piped());
        command.process_group(0).kill_on_drop(true).env("CARGO_MANIFEST_DIR", &self.folder);
        if let Some(servers) = servers {
            command.envs(servers.env.iter().map(|(name, value)| (name, value)));
        }
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

/// The servers of the run, in a folder that goes away with it.
struct Servers {
    running: Option<(Postgres, Kafka)>,
    /// What tests have to know of them.
    env: [(&'static str, String); 3],
    folder: PathBuf,
}

impl Servers {
    async fn start() -> Result<Self> {
        say!("starting PostgreSQL and Kafka for the tests");
        let folder = state().join(format!("test/{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let password = uuid::Uuid::new_v4().simple().to_string();
        let (postgres_folder, kafka_folder) = (folder.join("postgres"), folder.join("kafka"));
        let (port, kafka_port, controller) = (ports::any()?, ports::any()?, ports::any()?);
        let (postgres, kafka) = tokio::try_join!(
            Postgres::start(&postgres_folder, port, &password, Durability::ProcessCrash),
            Kafka::start(&kafka_folder, kafka_port, controller),
        )?;
        let env = [
            (testing::POSTGRES, postgres.url("postgres")),
            (testing::KAFKA, kafka.brokers()),
            (testing::SCRATCH, folder.display().to_string()),
        ];
        Ok(Self { running: Some((postgres, kafka)), env, folder })
    }

    async fn stop(mut self) {
        if let Some((mut postgres, mut kafka)) = self.running.take() {
            kafka.stop().await;
            postgres.stop().await;
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // Killed first, so that nobody writes into the folder while it goes.
        self.running.take();
        if std::fs::remove_dir_all(&self.folder).is_err() {
            eprintln!("{} could not be removed", self.folder.display());
        }
    }
}

async fn lint() -> Result<Counts> {
    let mut counts = Counts::default();
    let deny = Tool::CargoDeny.get().await?.display().to_string();
    counts.add(
        check(
            &[&deny, "--all-features", "check", "licenses", "bans", "sources"],
            "see deny.toml; an exception there needs its reason",
        )
        .await?,
    );
    let folder = contracts_for_buf().await?;
    let (buf, folder) = (Tool::Buf.get().await?.display().to_string(), folder.display().to_string());
    counts.add(check(&[&buf, "lint", &folder], "the contracts pass buf's STANDARD rules; see proto/buf.yaml").await?);
    let hadolint = Tool::Hadolint.get().await?.display().to_string();
    for service in devstack::service::all()? {
        let file = format!("services/{service}/Dockerfile");
        counts.add(check(&[&hadolint, &file], "mend the lines that it names").await?);
    }
    let actionlint = Tool::Actionlint.get().await?.display().to_string();
    counts.add(check(&[&actionlint], "mend the workflow that it names").await?);
    Ok(counts)
}

/// Lays the contracts out with buf.validate beside them, which no network has to bring: the crate that compiles the rules
/// carries the file.
async fn contracts_for_buf() -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    let metadata = process::output(cargo.current_dir(root()).args(["metadata", "--format-version=1"])).await?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists packages")?;
    let rules = packages.iter().find(|package| package["name"] == "prost-protovalidate-types");
    let manifest =
        rules.and_then(|package| package["manifest_path"].as_str()).context("the rules' crate is a dependency")?;
    let folder = root().join("target/buf");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    copy(&root().join("proto"), &folder)?;
    copy(&Path::new(manifest).with_file_name("proto"), &folder)?;
    Ok(folder)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().context("an entry has a name")?);
        if path.is_dir() {
            copy(&path, &target)?;
        } else if path.extension().is_some_and(|ending| ending == "proto" || ending == "yaml") {
            std::fs::copy(&path, target)?;
        }
    }
    Ok(())
}

async fn mutants() -> Result<Counts> {
    let words = ["cargo", "mutants", "--package", "mart-kernel", "--package", "product-core", "--all-features"];
    check(
        &words,
        "a survivor needs a test, or a reason in .cargo/mutants.toml; cargo install cargo-mutants brings the tool",
    )
    .await
}
