//! `check`: reports stale, missing, edited and orphaned files without writing.

use anyhow::Result;

use super::pipeline::Contracts;
use crate::contract::model::{Mart, Service};
use crate::digest;
use crate::failure::CLEAN;
use crate::finding::{Finding, Place};
use crate::journal::Journal;
use crate::kind::Kind;
use crate::lock::{LOCK, Lock};
use crate::plan::{self, Plan, Planned, State};
use crate::purity;
use crate::tree::Tree;
use crate::unchanged::Unchanged;
use crate::waivers::{WAIVERS, Waivers};

pub(super) fn run(tree: &Tree, json: bool) -> Result<u8> {
    let state = if json || Journal::interrupted(tree) { None } else { Unchanged::now(tree) };
    if let Some(summary) = state.as_ref().and_then(Unchanged::summary) {
        anstream::println!("{summary}");
        return Ok(CLEAN);
    }
    let contracts = match Contracts::checked(tree, json)? {
        Ok(contracts) => contracts,
        Err(code) => return Ok(code),
    };
    let mut findings = Vec::new();
    if Journal::interrupted(tree) {
        let what = "a run of martgen was interrupted while it changed files";
        let help = "run cargo martgen generate, which finishes it";
        findings.push(Finding::error("interrupted", Place::file(LOCK), what, help));
    }
    let plan = contracts.render()?;
    let (lock, waivers) = (Lock::read(tree)?, Waivers::read(tree)?);
    findings.extend(files(tree, &plan, &lock, &waivers)?);
    findings.extend(purity::cores(tree, &deployable(&contracts.mart))?);
    findings.extend(leftovers(&plan, &lock, &waivers));
    let notes = outdated_scaffolds(tree, &contracts.mart, &lock);
    let code = contracts.report(&findings, json);
    if json {
        return Ok(code);
    }
    for note in &notes {
        anstream::eprintln!("note: {note}");
    }
    if code == CLEAN {
        let (files, services) = (plan.files.len(), contracts.mart.services.len());
        let summary = format!("clean: {files} files of {services} services, {} waivers", waivers.0.len());
        anstream::println!("{summary}");
        if notes.is_empty()
            && let Some(state) = state
        {
            state.remember(&summary);
        }
    }
    Ok(code)
}

/// Returns a finding for each file that differs from the plan without a valid waiver.
fn files(tree: &Tree, plan: &Plan, lock: &Lock, waivers: &Waivers) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (path, planned) in &plan.files {
        let current = tree.read(path)?;
        let generate = || "run cargo martgen generate".to_owned();
        let found = match plan::state(planned, lock.files.get(path), current.as_deref()) {
            State::Current => None,
            State::Missing => Some(("missing", "a required file is missing", generate())),
            State::Stale => Some(("stale", "this file does not match the contracts", generate())),
            State::Edited => edited(path, planned, waivers),
        };
        findings.extend(found.map(|(rule, what, help)| Finding::error(rule, Place::file(path.as_str()), what, help)));
    }
    Ok(findings)
}

/// Returns the rule, the error and the hint for an edited file, or `None` if its waiver is for this rendering.
fn edited(path: &str, planned: &Planned, waivers: &Waivers) -> Option<(&'static str, &'static str, String)> {
    match waivers.0.get(path).filter(|_| planned.kind == Kind::Managed) {
        Some(waiver) if waiver.raw == digest::bytes(planned.raw.as_bytes()) => None,
        Some(_) => {
            let help = format!(
                "see cargo martgen generate --diff, adopt the changes that you need, then run: \
                 cargo martgen waive {path} --reason …"
            );
            Some(("waiver", "the template of a waived file has changed", help))
        }
        None => {
            let help = "run cargo martgen generate, which shows the difference and how to resolve it";
            Some(("edited", "this file was edited by hand", help.to_owned()))
        }
    }
}

/// Returns the names of the services in services/.
fn deployable(mart: &Mart) -> Vec<String> {
    let deployable = |service: &&Service| service.home.as_ref().is_some_and(|home| home.is_deployable);
    mart.services.iter().filter(deployable).map(|service| service.name.clone()).collect()
}

/// Returns a finding for each orphan, and for each waiver without a managed file.
fn leftovers(plan: &Plan, lock: &Lock, waivers: &Waivers) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, _) in plan::orphans(plan, lock) {
        let what = "no contract requires this file any more";
        findings.push(Finding::error("orphan", Place::file(path.as_str()), what, "run cargo martgen generate"));
    }
    for (path, waiver) in &waivers.0 {
        if plan.files.get(path).is_none_or(|planned| planned.kind != Kind::Managed) {
            let what = format!("a waiver names {path}, which is not a managed file ({})", waiver.reason);
            findings.push(Finding::error("waiver", Place::file(WAIVERS), what, "remove its line"));
        }
    }
    findings
}

/// Returns a note for each scaffold file that was generated for an operation or an event that its contract no longer has.
fn outdated_scaffolds(tree: &Tree, mart: &Mart, lock: &Lock) -> Vec<String> {
    let mut notes = Vec::new();
    for (path, entry) in lock.files.iter().filter(|(_, entry)| entry.kind == Kind::Scaffold) {
        // The source of such a file is `TEMPLATE CONTRACTS#NAME#NAME`.
        let mut parts = entry.source.split('#');
        let contracts = parts.next().and_then(|source| source.rsplit(' ').next()).unwrap_or_default();
        let service = mart.services.iter().find(|service| service.contracts == contracts);
        let is_declared = |name: &str| {
            service.is_some_and(|service| {
                service.operations().any(|operation| operation.method == name)
                    || service.events.iter().any(|event| event.name == name)
            })
        };
        let removed: Vec<&str> = parts.filter(|name| !is_declared(name)).collect();
        if !removed.is_empty() && tree.path(path).is_file() {
            notes.push(format!(
                "{path} was generated for {}, which the contract no longer has: remove the code that is not needed",
                removed.join(", ")
            ));
        }
    }
    notes
}
