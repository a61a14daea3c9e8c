//! The parts of `./mart test`, with their commands, budgets and lanes.

use devstack::testing::FEATURES_ON_SERVERS;

/// The command or tests of a part.
pub(super) enum Run {
    /// A command that passes or fails as a whole: its words, and the advice if it fails.
    Check(&'static [&'static str], &'static str),
    /// The tests of packages, without their scenarios.
    Tests(Vec<String>),
    /// The scenarios of packages, with the environment variables that select the level: in memory or on servers.
    Features(Vec<String>, &'static [(&'static str, &'static str)]),
    /// The tests of a gateway against the recorded behaviour of Kong.
    Gateway,
    /// The linters of contracts, Dockerfiles, workflows and documents.
    Lint,
    /// Mutation testing of the kernel and the cores.
    Mutants(Vec<String>),
    /// A Python script with its arguments.
    Script(&'static [&'static str]),
}

/// One of the two lanes that run concurrently. Only one of them may call cargo, which locks the build folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Parts that build, or work in a clone.
    Cargo,
    /// Test programs that are already built.
    Tests,
}

pub(super) struct Part {
    pub(super) name: String,
    pub(super) description: String,
    /// The seconds that the part may take on 2 cores beside the other lane.
    pub(super) budget: u64,
    /// Whether the part needs PostgreSQL and Kafka.
    pub(super) servers: bool,
    /// Whether CI runs the part for each change. The others run nightly.
    pub(super) ci: bool,
    pub(super) run: Run,
}

impl Part {
    fn new(name: &str, budget: u64, description: &str, run: Run) -> Self {
        Self { name: name.to_owned(), description: description.to_owned(), budget, servers: false, ci: true, run }
    }

    fn on_servers(self) -> Self {
        Self { servers: true, ..self }
    }

    fn nightly(self) -> Self {
        Self { ci: false, ..self }
    }

    pub(super) fn lane(&self) -> Lane {
        match self.run {
            Run::Tests(_) | Run::Features(..) | Run::Gateway => Lane::Tests,
            Run::Check(..) | Run::Lint | Run::Mutants(_) | Run::Script(_) => Lane::Cargo,
        }
    }

    /// Returns the packages whose test programs the part runs.
    pub(super) fn packages(&self) -> Vec<&str> {
        match &self.run {
            Run::Tests(packages) | Run::Features(packages, _) => packages.iter().map(String::as_str).collect(),
            Run::Gateway => vec!["devstack"],
            Run::Check(..) | Run::Lint | Run::Mutants(_) | Run::Script(_) => Vec::new(),
        }
    }

    /// Restricts the part to the wanted packages. Returns `None` if it has none of them.
    pub(super) fn only(mut self, wanted: &dyn Fn(&str) -> bool) -> Option<Self> {
        match &mut self.run {
            Run::Tests(packages) | Run::Features(packages, _) => {
                packages.retain(|package| wanted(package));
                (!packages.is_empty()).then_some(self)
            }
            Run::Gateway => wanted("devstack").then_some(self),
            Run::Check(..) | Run::Lint | Run::Mutants(_) | Run::Script(_) => None,
        }
    }
}

/// The parts that need no server and no clone.
pub(super) const QUICK: [&str; 9] =
    ["format", "clippy", "rustdoc", "martgen", "kernel", "proto", "core", "features", "tools"];

/// Returns all parts, in the order in which each lane runs its own.
#[expect(clippy::too_many_lines, reason = "a list of the parts")]
pub(super) fn all(services: &[String]) -> Vec<Part> {
    let tests = |names: &[&str]| Run::Tests(names.iter().map(|name| (*name).to_owned()).collect());
    let crates = |part: &str| services.iter().map(|name| format!("{name}-{part}")).collect::<Vec<_>>();
    let format = Run::Check(&["cargo", "fmt", "--all", "--check"], "run: cargo fmt --all");
    let clippy = Run::Check(
        &["cargo", "clippy", "--quiet", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"],
        "change the code that clippy names; an exception needs #[expect(…, reason = …)]",
    );
    let rustdoc = Run::Check(
        &["cargo", "doc", "--quiet", "--workspace", "--no-deps", "--all-features"],
        "change the links and comments that rustdoc names",
    );
    let bench = Run::Check(&["./mart", "bench", "--smoke"], "see bench/README.md");
    let lint = "cargo deny, buf, hadolint, actionlint, redocly, AsyncAPI's parser and Docker Compose";
    let martgen = "martgen's tests, and that the generated files match the contracts";
    let chassis = "HTTP edge, commit, relay and consumer under faults";
    let up = "./mart up and all other commands; Ctrl-C, crashes, a second clone";
    let journey = "a new service: generate, test, run, change and remove it";
    let contracts = "services from contracts of every kind: generate, test on servers, remove";
    let docs = "every command in README, CONTRIBUTING and AGENTS";
    let tools = "the devstack, the scenario runner, and the conventions of the repository";
    let on_servers = "the scenarios on PostgreSQL and Kafka";
    let mart = "all services together: faults at every step, and the invariants after them";
    // The scenarios of each service, and those of the whole mart.
    let features =
        || crates("service").into_iter().chain(["mart-features", "shop-features"].map(str::to_owned)).collect();
    let servers: &[(&str, &str)] = &[(FEATURES_ON_SERVERS, "1")];

    let mut parts = vec![
        Part::new("format", 10, "cargo fmt --check", format),
        Part::new("clippy", 400, "clippy for the whole workspace, without warnings", clippy),
        Part::new("rustdoc", 150, "the documentation of the crates, without warnings", rustdoc),
        Part::new("up", 240, up, Run::Script(&["tests/up.py"])),
        Part::new("journey", 500, journey, Run::Script(&["tests/journey.py"])),
        Part::new("contracts", 400, contracts, Run::Script(&["tests/journey.py", "contracts"])),
        Part::new("docs", 240, docs, Run::Script(&["tests/docs.py"])),
        // Late in its lane, because some of its tools are built in the background meanwhile. bench needs one of them.
        Part::new("lint", 150, lint, Run::Lint),
        Part::new("bench", 200, "the benchmarks, one second each", bench),
        Part::new("kernel", 10, "value types", tests(&["mart-kernel"])),
        Part::new("proto", 10, "JSON mapping and field rules", tests(&["mart-proto"])),
        Part::new("core", 20, "the services' cores", Run::Tests(crates("core"))),
        Part::new("features", 200, "the scenarios in memory", Run::Features(features(), &[])),
        Part::new("tools", 60, tools, tests(&["devstack", "features", "toolchain"])),
        Part::new("gateway", 20, "the gateway responds as Kong does (kong/facts.yml)", Run::Gateway),
        Part::new("martgen", 320, martgen, tests(&["martgen"])),
        Part::new("chassis", 120, chassis, tests(&["mart-chassis", "shelf-service"])).on_servers(),
    ];
    for name in services {
        let description = format!("the {name} service on real servers");
        let budget = if name == "notification" { 200 } else { 120 };
        parts.push(Part::new(name, budget, &description, tests(&[&format!("{name}-service")])).on_servers());
    }
    parts.extend([
        Part::new("on-servers", 400, on_servers, Run::Features(features(), servers)).on_servers(),
        Part::new("mart", 400, mart, tests(&["mart-features"])).on_servers(),
        Part::new(
            "developer",
            900,
            "the benchmark of the developer's loop, once",
            Run::Script(&["bench/developer.py", "--smoke"]),
        )
        .nightly(),
        Part::new("mutants", 3600, "mutation tests of the kernel and the cores", Run::Mutants(crates("core")))
            .nightly(),
    ]);
    parts
}
