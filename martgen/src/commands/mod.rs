//! The commands, one per file, and the code that they share.

mod against;
mod check;
mod generate;
mod graph;
mod new_service;
mod remove_service;
mod waive;

use std::collections::BTreeMap;

use anyhow::Result;
use clap::CommandFactory;
use prost_reflect::DescriptorPool;

use crate::cli::{Cli, Command};
use crate::contract::model::Mart;
use crate::contract::source::Sources;
use crate::failure::{CLEAN, FINDINGS, Failure, USAGE};
use crate::finding::{self, Finding};
use crate::tree::Tree;
use crate::{contract, digest};

/// The digest of the templates that this program was built from.
const TEMPLATES: &str = env!("MARTGEN_TEMPLATES");

/// Runs a command and returns the exit code.
pub(crate) fn run(cli: Cli) -> Result<u8> {
    if let Command::Completions(arguments) = &cli.command {
        clap_complete::generate(arguments.shell, &mut Cli::command(), "cargo-martgen", &mut std::io::stdout());
        return Ok(CLEAN);
    }
    let folder = match cli.root {
        Some(root) => root,
        None => std::env::current_dir()?,
    };
    let tree = Tree::around(&folder)?;
    ensure_same_templates(&tree)?;
    match cli.command {
        Command::NewService(arguments) => new_service::run(&tree, &arguments, cli.json),
        Command::RemoveService(arguments) => remove_service::run(&tree, &arguments, cli.json),
        Command::Generate(arguments) => generate::run(&tree, &arguments, cli.json),
        Command::Check(arguments) => match arguments.against {
            Some(reference) => against::run(&tree, &reference, cli.json),
            None => check::run(&tree, cli.json),
        },
        Command::Waive(arguments) => waive::run(&tree, &arguments),
        Command::Graph(arguments) => graph::run(&tree, &arguments),
        Command::Completions(_) => Ok(CLEAN),
    }
}

/// Refuses to run in a tree with other templates: the program would render old contents over current files.
fn ensure_same_templates(tree: &Tree) -> Result<()> {
    let current = digest::folder(&tree.path("template")).map_err(|error| {
        Failure::refused(format!("the folder template can't be read ({error})"), "restore it: git checkout template")
    })?;
    if current == TEMPLATES {
        return Ok(());
    }
    Err(Failure::refused(
        "this martgen was built from other templates than those of this tree",
        "run it as cargo martgen, which rebuilds it if necessary",
    ))
}

/// The compiled contracts of a tree.
struct Contracts {
    sources: Sources,
    mart: Mart,
    /// The descriptors; empty if the contracts do not compile.
    pool: DescriptorPool,
    findings: Vec<Finding>,
}

impl Contracts {
    fn read(tree: &Tree) -> Result<Self> {
        let sources = Sources::read(tree, &BTreeMap::new())?;
        match sources.compile(&tree.settings.package) {
            Ok(pool) => {
                let (mart, findings) = contract::model(tree, &sources, &pool);
                Ok(Self { sources, mart, pool, findings })
            }
            Err(finding) => {
                let (mart, pool) = (Mart { services: Vec::new() }, DescriptorPool::new());
                Ok(Self { sources, mart, pool, findings: vec![*finding] })
            }
        }
    }

    /// Returns whether the contracts have findings. Nothing can be rendered from them then.
    fn is_invalid(&self) -> bool {
        !self.findings.is_empty()
    }
}

/// Prints findings and returns the exit code. `invalid_contract` makes it [`USAGE`] instead of [`FINDINGS`].
fn report(findings: &[Finding], sources: &Sources, json: bool, invalid_contract: bool) -> u8 {
    if json {
        anstream::println!("{}", serde_json::json!({ "findings": findings }));
    } else {
        let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
        anstream::eprint!("{}", finding::render(findings, &sources.texts(), colour));
    }
    match (findings.len(), invalid_contract) {
        (0, _) => CLEAN,
        (_, true) => USAGE,
        (_, false) => FINDINGS,
    }
}
