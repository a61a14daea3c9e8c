//! The pipeline that the commands share: read the contracts, check them, render the files, format them, plan the changes, write.
//!
//! A command runs it up to the step that it needs. `change_set` formats the files and plans the changes.

use std::collections::BTreeMap;

use anyhow::Result;
use prost_reflect::DescriptorPool;

use crate::change_set::{ChangeSet, change_set};
use crate::contract::model::Mart;
use crate::contract::source::Sources;
use crate::failure::{CLEAN, FINDINGS, USAGE};
use crate::finding::{self, Finding};
use crate::journal::{Change, Journal};
use crate::lock::Lock;
use crate::plan::Plan;
use crate::tree::Tree;
use crate::waivers::Waivers;
use crate::{contract, render};

/// The compiled contracts of a tree.
pub(super) struct Contracts {
    pub(super) sources: Sources,
    pub(super) mart: Mart,
    /// The descriptors; empty if the contracts do not compile.
    pub(super) pool: DescriptorPool,
    pub(super) findings: Vec<Finding>,
    /// Whether the contracts compile. They may have findings nevertheless.
    pub(super) is_compiled: bool,
}

impl Contracts {
    /// Reads and compiles the contracts of a tree. `more` has the texts of contracts that are not in the tree yet, by their paths.
    pub(super) fn read(tree: &Tree, more: &BTreeMap<String, String>) -> Result<Self> {
        let sources = Sources::read(tree, more)?;
        match sources.compile(&tree.settings.package) {
            Ok(pool) => {
                let (mart, findings) = contract::model(tree, &sources, &pool);
                Ok(Self { sources, mart, pool, findings, is_compiled: true })
            }
            Err(finding) => {
                let (mart, pool) = (Mart { services: Vec::new() }, DescriptorPool::new());
                Ok(Self { sources, mart, pool, findings: vec![*finding], is_compiled: false })
            }
        }
    }

    /// Reads the contracts of a tree and checks them.
    pub(super) fn checked(tree: &Tree, json: bool) -> Result<Checked> {
        Ok(Self::read(tree, &BTreeMap::new())?.check(json))
    }

    /// Prints the findings, if there are any: nothing can be rendered from the contracts then.
    pub(super) fn check(self, json: bool) -> Checked {
        if self.findings.is_empty() { Ok(self) } else { Err(self.reject(&self.findings, json)) }
    }

    /// Prints findings that make the contracts invalid, and returns the exit code.
    pub(super) fn reject(&self, findings: &[Finding], json: bool) -> u8 {
        print(findings, &self.sources, json);
        USAGE
    }

    /// Renders the files that follow from the contracts.
    pub(super) fn render(&self) -> Result<Plan> {
        render::mart(&self.mart, &self.sources, &self.pool)
    }

    /// Prints findings in the tree and returns the exit code.
    pub(super) fn report(&self, findings: &[Finding], json: bool) -> u8 {
        print(findings, &self.sources, json);
        if findings.is_empty() { CLEAN } else { FINDINGS }
    }
}

/// Valid contracts, or the exit code of a run whose contracts are invalid.
pub(super) type Checked = Result<Contracts, u8>;

/// Formats the files whose rendering has changed, and plans the changes. With `overwrite`, manual edits are discarded.
pub(super) fn changes(tree: &Tree, plan: &Plan, overwrite: bool) -> Result<ChangeSet> {
    change_set(tree, plan, &Lock::read(tree)?, &Waivers::read(tree)?, overwrite)
}

/// The last step of the pipeline: a preview has no journal and writes nothing.
pub(super) struct Writer<'a>(Option<Journal<'a>>);

impl<'a> Writer<'a> {
    /// Acquires the right to write before anything is read. This finishes an interrupted run.
    pub(super) fn open(tree: &'a Tree, writes: bool) -> Result<Self> {
        Ok(Self(if writes { Some(Journal::open(tree)?) } else { None }))
    }

    /// Makes all changes or none. It releases the right to write.
    pub(super) fn write(self, changes: &[Change]) -> Result<()> {
        self.0.map_or(Ok(()), |journal| journal.write(changes))
    }
}

fn print(findings: &[Finding], sources: &Sources, json: bool) {
    if json {
        anstream::println!("{}", serde_json::json!({ "findings": findings }));
    } else {
        let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
        anstream::eprint!("{}", finding::render(findings, &sources.texts(), colour));
    }
}
