//! The commands, one per file, and the pipeline that they share.

mod against;
mod check;
mod generate;
mod graph;
mod new_service;
mod pipeline;
mod remove_service;
mod waive;

use anyhow::Result;
use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::digest;
use crate::failure::{CLEAN, Failure};
use crate::tree::Tree;

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
