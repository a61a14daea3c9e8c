//! What there is to run, how long each part may take, and which part reaches what.

use devstack::testing::FEATURES_ON_SERVERS;

/// How a part is run.
pub(super) enum Run {
    /// A command that passes or fails as a whole: its words, and how to fix what it finds.
    Check(&'static [&'static str], &'static str),
    /// The tests of packages, without the features.
    Tests(Vec<String>),
    /// The features of the services with these packages, in one process or on servers.
    Features(Vec<String>, &'static [(&'static str, &'static str)]),
    /// What a gateway answers, held against the facts of Kong.
    Gateway,
    /// Tools over contracts, Dockerfiles and workflows.
    Lint,
    /// Mutation testing over kernel and cores.
    Mutants(Vec<String>),
    /// A script of tests/, with its arguments.
    Script(&'static [&'static str]),
}

/// Which of two lanes a part is run in, beside the other one. Only one of them may call cargo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// What builds, or works in a clone.
    Cargo,
    /// Test programs that are built.
    Tests,
}

pub(super) struct Part {
    pub(super) name: String,
    pub(super) says: String,
    /// How many seconds it may take on 2 cores, with the other lane beside it.
    pub(super) budget: u64,
    /// Whether it needs PostgreSQL and Kafka.
    pub(super) servers: bool,
    /// Whether CI runs it for each change; the others run at night.
    pub(super) ci: bool,
    pub(super) run: Run,
}

impl Part {
    fn new(name: &str, budget: u64, says: &str, run: Run) -> Self {
        Self { name: name.to_owned(), says: says.to_owned(), budget, servers: false, ci: true, run }
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

    /// The packages whose test programs it runs.
    pub(super) fn packages(&self) -> Vec<&str> {
        match &self.run {
            Run::Tests(packages) | Run::Features(packages, _) => packages.iter().map(String::as_str).collect(),
            Run::Gateway => vec!["devstack"],
            Run::Check(..) | Run::Lint | Run::Mutants(_) | Run::Script(_) => Vec::new(),
        }
    }

    /// The same for some packages only; `None` if it has none of them.
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

/// Those that need no server and no clone.
pub(super) const QUICK: [&str; 9] =
    ["format", "clippy", "rustdoc", "martgen", "kernel", "proto", "core", "features", "tools"];

/// All parts, in the order in which each lane runs its own.
pub(super) fn all(services: &[String]) -> Vec<Part> {
    let tests = |names: &[&str]| Run::Tests(names.iter().map(|name| (*name).to_owned()).collect());
    let crates = |part: &str| services.iter().map(|name| format!("{name}-{part}")).collect::<Vec<_>>();
    let format = Run::Check(&["cargo", "fmt", "--all", "--check"], "run: cargo fmt --all");
    let clippy = Run::Check(
        &["cargo", "clippy", "--quiet", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"],
        "change what it names; an exception needs #[expect(…, reason = …)]",
    );
    let rustdoc = Run::Check(
        &["cargo", "doc", "--quiet", "--workspace", "--no-deps", "--all-features"],
        "change the links and comments that it names",
    );
    let bench = Run::Check(&["./mart", "bench", "--smoke"], "see bench/README.md");
    let lint = "cargo deny; buf, hadolint, actionlint, redocly and AsyncAPI's parser over what they read";
    let martgen = "what is generated is what the contracts say, and martgen itself";
    let chassis = "HTTP edge, commit, relay and consumer under faults";
    let up = "./mart up under Ctrl-C, and every command beside it";
    let journey = "a service from its name to its end: made, tested, run, changed, removed";
    let contracts = "services from contracts of every kind: made, tested on servers, removed";
    let docs = "every command of README, CONTRIBUTING and AGENTS";
    let tools = "the devstack, the runner of features, and the shape of the tree";
    let on_servers = "the same features on PostgreSQL and Kafka";
    let mart = "all services together: faults at every step, and what has to be true after them";
    // Each service's own, and those of the mart as one.
    let features =
        || crates("service").into_iter().chain(["mart-features", "shop-features"].map(str::to_owned)).collect();
    let servers: &[(&str, &str)] = &[(FEATURES_ON_SERVERS, "1")];

    let mut parts = vec![
        Part::new("format", 10, "cargo fmt --check", format),
        Part::new("clippy", 400, "clippy over everything, warnings are errors", clippy),
        Part::new("rustdoc", 150, "the crates' documentation, without warnings", rustdoc),
        Part::new("up", 240, up, Run::Script(&["tests/up.py"])),
        Part::new("journey", 500, journey, Run::Script(&["tests/journey.py"])),
        Part::new("contracts", 400, contracts, Run::Script(&["tests/journey.py", "contracts"])),
        Part::new("docs", 240, docs, Run::Script(&["tests/docs.py"])),
        // So late, since some of its tools are built meanwhile, of what others leave of the processor. bench takes one of them.
        Part::new("lint", 150, lint, Run::Lint),
        Part::new("bench", 200, "the benchmarks, one second each", bench),
        Part::new("kernel", 10, "value types", tests(&["mart-kernel"])),
        Part::new("proto", 10, "JSON and field rules", tests(&["mart-proto"])),
        Part::new("core", 20, "the services' rules", Run::Tests(crates("core"))),
        Part::new("features", 200, "the rules in the words of the business", Run::Features(features(), &[])),
        Part::new("tools", 60, tools, tests(&["devstack", "features", "toolchain"])),
        Part::new("gateway", 20, "the gateway answers as Kong was seen to (kong/facts.yml)", Run::Gateway),
        Part::new("martgen", 320, martgen, tests(&["martgen"])),
        Part::new("chassis", 120, chassis, tests(&["mart-chassis", "shelf-service"])).on_servers(),
    ];
    for name in services {
        let says = format!("the {name} service on real servers");
        let budget = if name == "notification" { 200 } else { 120 };
        parts.push(Part::new(name, budget, &says, tests(&[&format!("{name}-service")])).on_servers());
    }
    parts.extend([
        Part::new("on-servers", 400, on_servers, Run::Features(features(), servers)).on_servers(),
        Part::new("mart", 400, mart, tests(&["mart-features"])).on_servers(),
        Part::new(
            "developer",
            900,
            "how long a developer waits, tried once",
            Run::Script(&["bench/developer.py", "--smoke"]),
        )
        .nightly(),
        Part::new("mutants", 3600, "cargo-mutants over kernel and cores", Run::Mutants(crates("core"))).nightly(),
    ]);
    parts
}
