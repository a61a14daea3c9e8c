//! Saying what is not as it shall be, and writing nothing.

use anyhow::Result;

use super::{Contracts, tell};
use crate::contract::model::Mart;
use crate::digest;
use crate::failure::CLEAN;
use crate::finding::{Finding, Place};
use crate::journal::Journal;
use crate::lock::{LOCK, Lock};
use crate::plan::{self, Kind, State};
use crate::purity;
use crate::render;
use crate::tree::Tree;
use crate::unchanged::Unchanged;
use crate::waivers::{WAIVERS, Waivers};

pub(super) fn run(tree: &Tree, json: bool) -> Result<u8> {
    let state = if json || Journal::interrupted(tree) { None } else { Unchanged::now(tree) };
    if let Some(said) = state.as_ref().and_then(Unchanged::said) {
        anstream::println!("{said}");
        return Ok(CLEAN);
    }
    let contracts = Contracts::read(tree)?;
    if contracts.broken() {
        return Ok(tell(&contracts.findings, &contracts.sources, json, true));
    }
    let mut findings = contracts.findings;
    if Journal::interrupted(tree) {
        let what = "a run of martgen was interrupted in the middle of its changes";
        findings.push(Finding::error("interrupted", Place::file(LOCK), what, "cargo martgen generate finishes it"));
    }
    let plan = render::mart(&contracts.mart, &contracts.sources, &contracts.pool)?;
    let (lock, waivers) = (Lock::read(tree)?, Waivers::read(tree)?);
    for (path, planned) in &plan.files {
        let there = tree.read(path)?;
        let (rule, what, help) = match plan::state(planned, lock.files.get(path), there.as_deref()) {
            State::Current => continue,
            State::Missing => ("missing", "the contracts ask for this file", "run cargo martgen generate".to_owned()),
            State::Stale => {
                ("stale", "this file is not what the contracts say now", "run cargo martgen generate".to_owned())
            }
            State::Edited => {
                let raw = digest::bytes(planned.raw.as_bytes());
                match waivers.0.get(path).filter(|_| planned.kind == Kind::Managed) {
                    Some(waiver) if waiver.raw == raw => continue,
                    Some(_) => {
                        let help =
                            format!("see cargo martgen generate --diff, then: cargo martgen waive {path} --reason …");
                        ("waiver", "the template of a waived file has changed", help)
                    }
                    None => {
                        let what = "this file was edited by hand";
                        (
                            "edited",
                            what,
                            "cargo martgen generate shows the difference and says what can be done".to_owned(),
                        )
                    }
                }
            }
        };
        findings.push(Finding::error(rule, Place::file(path.as_str()), what, help));
    }
    let whole =
        contracts.mart.services.iter().filter(|service| service.home.as_ref().is_some_and(|home| home.is_deployable));
    let names: Vec<String> = whole.map(|service| service.name.clone()).collect();
    findings.extend(purity::cores(tree, &names)?);
    for (path, _) in plan::orphans(&plan, &lock) {
        let what = "nothing asks for this file any more";
        findings.push(Finding::error("orphan", Place::file(path.as_str()), what, "run cargo martgen generate"));
    }
    for (path, waiver) in &waivers.0 {
        if plan.files.get(path).is_none_or(|planned| planned.kind != Kind::Managed) {
            let what = format!("a waiver is for {path}, which is no managed file ({})", waiver.reason);
            findings.push(Finding::error("waiver", Place::file(WAIVERS), what, "remove its line"));
        }
    }
    let notes = outlived(tree, &contracts.mart, &lock);
    let code = tell(&findings, &contracts.sources, json, false);
    if !json {
        for note in &notes {
            anstream::eprintln!("note: {note}");
        }
    }
    if code == CLEAN && !json {
        let services = contracts.mart.services.len();
        let said = format!("clean: {} files of {services} services; {} waived", plan.files.len(), waivers.0.len());
        anstream::println!("{said}");
        if notes.is_empty()
            && let Some(state) = state
        {
            state.remember(&said);
        }
    }
    Ok(code)
}

/// Seeds that were made for an operation or an event that the contract has no more, and that are still there.
fn outlived(tree: &Tree, mart: &Mart, lock: &Lock) -> Vec<String> {
    let mut notes = Vec::new();
    for (path, entry) in lock.files.iter().filter(|(_, entry)| entry.kind == Kind::Scaffold) {
        let mut words = entry.source.split('#');
        let contracts = words.next().and_then(|source| source.rsplit(' ').next()).unwrap_or_default();
        let service = mart.services.iter().find(|service| service.contracts == contracts);
        let known = |word: &str| {
            service.is_some_and(|service| {
                service.operations().any(|operation| operation.method == word)
                    || service.events.iter().any(|event| event.name == word)
            })
        };
        let gone: Vec<&str> = words.filter(|word| !known(word)).collect();
        if !gone.is_empty() && tree.path(path).is_file() {
            notes.push(format!(
                "{path} was made for {}, which the contract has no more: take out what nothing needs",
                gone.join(", ")
            ));
        }
    }
    notes
}
