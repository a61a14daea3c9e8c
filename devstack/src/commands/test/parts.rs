//! What there is to run.

use devstack::testing::FEATURES_ON_SERVERS;

/// How a part is run.
pub(super) enum Run {
    /// A command that passes or fails as a whole: what it checks, its words, and how to mend it.
    Check(&'static [&'static str], &'static str),
    /// The tests of packages, without the features.
    Tests(Vec<String>),
    /// The features of the services with these packages, in one process or on servers.
    Features(Vec<String>, &'static [(&'static str, &'static str)]),
    /// What a gateway answers, held against the facts of Kong.
    Gateway,
    /// Tools over contracts, Dockerfiles and workflows.
    Lint,
    /// `./mart test mutants`.
    Mutants(Vec<String>),
    /// A script of tests/, with the name of the thing that it proves.
    Script(&'static str),
}

pub(super) struct Part {
    pub(super) name: String,
    pub(super) says: String,
    /// How long it takes on 2 cores, rounded up, once its dependencies are built.
    pub(super) minutes: u32,
    /// Whether it needs PostgreSQL and Kafka.
    pub(super) servers: bool,
    /// Whether CI runs it.
    pub(super) ci: bool,
    pub(super) run: Run,
}

impl Part {
    fn new(name: &str, minutes: u32, says: &str, run: Run) -> Self {
        Self { name: name.to_owned(), says: says.to_owned(), minutes, servers: false, ci: true, run }
    }

    fn on_servers(self) -> Self {
        Self { servers: true, ..self }
    }
}

/// All parts, in the order in which they are run.
pub(super) fn all(services: &[String]) -> Vec<Part> {
    let tests = |names: &[&str]| Run::Tests(names.iter().map(|name| (*name).to_owned()).collect());
    let crates = |part: &str| services.iter().map(|name| format!("{name}-{part}")).collect::<Vec<_>>();
    let format = Run::Check(&["cargo", "fmt", "--all", "--check"], "run: cargo fmt --all");
    let clippy = Run::Check(
        &["cargo", "clippy", "--quiet", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"],
        "mend what it names; an exception needs #[expect(…, reason = …)]",
    );
    let rustdoc = Run::Check(
        &["cargo", "doc", "--quiet", "--workspace", "--no-deps", "--all-features"],
        "mend the links and comments that it names",
    );
    let bench = Run::Check(&["./mart", "bench", "--smoke"], "see bench/README.md");
    let lint = "cargo deny; buf, hadolint, actionlint, redocly and AsyncAPI's parser over what they read";
    let martgen = "what is generated is what the contracts say, and martgen itself";
    let chassis = "HTTP edge, commit, relay and consumer under faults";
    let up = "./mart up under Ctrl-C, and every command beside it";
    let journey = "a service from its name to its end: made, tested, run, changed, removed";
    let docs = "every command of README, CONTRIBUTING and AGENTS";
    // Each service's own, and those of the mart as one.
    let features =
        || crates("service").into_iter().chain(["mart-features".to_owned(), "shop-features".to_owned()]).collect();
    let mut parts = vec![
        Part::new("format", 1, "cargo fmt --check", format),
        Part::new("clippy", 2, "clippy over everything, warnings are errors", clippy),
        Part::new("rustdoc", 1, "the crates' documentation, without warnings", rustdoc),
        Part::new("martgen", 4, martgen, tests(&["martgen"])),
        Part::new("kernel", 1, "value types", tests(&["mart-kernel"])),
        Part::new("proto", 1, "JSON and field rules", tests(&["mart-proto"])),
        Part::new("core", 1, "the services' rules", Run::Tests(crates("core"))),
        Part::new("features", 1, "the rules in the words of the business", Run::Features(features(), &[])),
        Part::new(
            "tools",
            1,
            "the devstack, the runner of features, and the shape of the tree",
            tests(&["devstack", "features"]),
        ),
        Part::new("gateway", 1, "the gateway answers as Kong was seen to (kong/facts.yml)", Run::Gateway),
        Part::new("chassis", 1, chassis, tests(&["mart-chassis", "shelf-service"])).on_servers(),
    ];
    for name in services {
        let says = format!("the {name} service on real servers");
        parts.push(Part::new(name, 2, &says, tests(&[&format!("{name}-service")])).on_servers());
    }
    let on_servers = Run::Features(features(), &[(FEATURES_ON_SERVERS, "1")]);
    parts.push(Part::new("on-servers", 4, "the same features on PostgreSQL and Kafka", on_servers).on_servers());
    let mart = "all services together: faults at every step, and what has to be true after them";
    parts.push(Part::new("mart", 5, mart, tests(&["mart-features"])).on_servers());
    let mutants = Part::new("mutants", 30, "cargo-mutants over kernel and cores (long)", Run::Mutants(crates("core")));
    parts.extend([
        Part::new("lint", 3, lint, Run::Lint),
        Part::new("up", 6, up, Run::Script("tests/up.py")),
        Part::new("journey", 10, journey, Run::Script("tests/journey.py")),
        Part::new("docs", 3, docs, Run::Script("tests/docs.py")),
        Part::new("bench", 1, "the benchmarks, one second each", bench),
        Part { ci: false, ..mutants },
    ]);
    parts
}
