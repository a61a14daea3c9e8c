//! Lints manifests, contracts, Dockerfiles, workflows, API documents and the container configuration with their own tools.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use devstack::toolchain::{self, Tool};
use devstack::{process, root};
use tokio::process::Command;

use super::{Counts, Log, check};

pub(super) async fn lint(log: &Log) -> Result<Counts> {
    let mut counts = Counts::default();
    let deny = toolchain::get(Tool::CargoDeny).await?.display().to_string();
    counts.add(
        check(
            &[&deny, "--all-features", "check", "licenses", "bans", "sources"],
            "see deny.toml; an exception there needs a reason",
            log,
        )
        .await?,
    );
    let folder = contracts_for_buf().await?;
    let (buf, folder) = (toolchain::get(Tool::Buf).await?.display().to_string(), folder.display().to_string());
    counts.add(
        check(&[&buf, "lint", &folder], "change the contracts to follow buf's STANDARD rules; see proto/buf.yaml", log)
            .await?,
    );
    let hadolint = toolchain::get(Tool::Hadolint).await?.display().to_string();
    let services = devstack::service::all()?;
    let ours = services.iter().map(|service| format!("services/{service}/Dockerfile"));
    for file in ours.chain(["compose/tools/Dockerfile", ".devcontainer/Dockerfile"].map(str::to_owned)) {
        counts.add(check(&[&hadolint, &file], "change the lines that it names", log).await?);
    }
    let actionlint = toolchain::get(Tool::Actionlint).await?.display().to_string();
    counts.add(check(&[&actionlint], "change the workflow that it names", log).await?);
    counts.add(documents(log).await?);
    counts.add(containers(log).await?);
    Ok(counts)
}

/// Checks compose/ and .devcontainer/ with Docker Compose and the dev containers' CLI.
async fn containers(log: &Log) -> Result<Counts> {
    let compose = toolchain::get(Tool::Compose).await?.display().to_string();
    let node = toolchain::get(Tool::Node).await?.display().to_string();
    let tools = toolchain::get(Tool::ApiTools).await?.display().to_string();
    let devcontainer = format!("{tools}/node_modules/@devcontainers/cli/devcontainer.js");
    let words = ["python3", "tests/compose.py", &compose, &node, &devcontainer];
    check(&words, "change compose/ or .devcontainer/ as the messages above require", log).await
}

/// Checks the API documents with redocly and AsyncAPI's parser.
async fn documents(log: &Log) -> Result<Counts> {
    let node = toolchain::get(Tool::Node).await?.display().to_string();
    let tools = toolchain::get(Tool::ApiTools).await?.display().to_string();
    let mut paths = Vec::new();
    for entry in
        std::fs::read_dir(root().join("docs/api")).context("docs/api is missing: run cargo martgen generate")?
    {
        paths.push(entry?.path().display().to_string());
    }
    paths.sort();
    let ending =
        |ending: &str| paths.iter().map(String::as_str).filter(|path| path.ends_with(ending)).collect::<Vec<_>>();
    let fix = "the documents are rendered from the contracts by martgen/src/render/api";
    let redocly = format!("{tools}/node_modules/@redocly/cli/bin/cli.js");
    let words = [vec![node.as_str(), &redocly, "lint", "--max-problems=20"], ending("openapi.json")].concat();
    let mut counts = check(&words, fix, log).await?;
    let words = [vec![node.as_str(), "tests/asyncapi.cjs", &tools], ending("asyncapi.json")].concat();
    counts.add(check(&words, fix, log).await?);
    Ok(counts)
}

/// Copies the contracts and buf.validate into a folder for buf. The crate that compiles the rules contains buf.validate, so no
/// network is needed.
async fn contracts_for_buf() -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    let metadata = process::output(cargo.current_dir(root()).args(["metadata", "--format-version=1"])).await?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("cargo metadata returned no packages")?;
    let rules = packages.iter().find(|package| package["name"] == "prost-protovalidate-types");
    let manifest = rules
        .and_then(|package| package["manifest_path"].as_str())
        .context("prost-protovalidate-types is not a dependency")?;
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
        let target = to.join(path.file_name().context("a folder entry has no name")?);
        if path.is_dir() {
            copy(&path, &target)?;
        } else if path.extension().is_some_and(|ending| ending == "proto" || ending == "yaml") {
            std::fs::copy(&path, target)?;
        }
    }
    Ok(())
}
