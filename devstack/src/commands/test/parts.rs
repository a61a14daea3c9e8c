//! What there is to run.

/// How a part is run.
pub(super) enum Run {
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

pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) says: &'static str,
    /// How long it takes on 2 cores, rounded up, once its dependencies are built.
    pub(super) minutes: u32,
    /// Whether it needs PostgreSQL and Kafka.
    pub(super) servers: bool,
    /// Whether CI runs it.
    pub(super) ci: bool,
    pub(super) run: Run,
}

pub(super) const PARTS: &[Part] = &[
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
        name: "martgen",
        minutes: 1,
        says: "what is generated is what the contracts say, and martgen itself",
        servers: false,
        ci: true,
        run: Run::Tests(&["martgen"]),
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
        minutes: 3,
        says: "./mart up under Ctrl-C, and every command beside it",
        servers: false,
        ci: true,
        run: Run::Script("tests/up.py"),
    },
    Part {
        name: "docs",
        minutes: 2,
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
