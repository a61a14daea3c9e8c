//! `generate`: writes the files that follow from the contracts.

use anyhow::Result;

use super::{Contracts, report};
use crate::change_set::change_set;
use crate::cli::Generate;
use crate::failure::{CLEAN, FINDINGS};
use crate::journal::Journal;
use crate::lock::Lock;
use crate::render;
use crate::tree::Tree;
use crate::waivers::Waivers;

pub(super) fn run(tree: &Tree, arguments: &Generate, json: bool) -> Result<u8> {
    let writes = !(arguments.dry_run || arguments.diff || arguments.check);
    // Opening the journal finishes an interrupted run.
    let journal = if writes { Some(Journal::open(tree)?) } else { None };
    let contracts = Contracts::read(tree)?;
    if contracts.is_invalid() {
        return Ok(report(&contracts.findings, &contracts.sources, json, true));
    }
    let plan = render::mart(&contracts.mart, &contracts.sources, &contracts.pool)?;
    let change_set = change_set(tree, &plan, &Lock::read(tree)?, &Waivers::read(tree)?, arguments.overwrite)?;
    if let Some(journal) = journal {
        journal.write(&change_set.changes)?;
    }
    if json {
        let files: Vec<_> = change_set
            .files()
            .map(|change| {
                let (action, diff) = (change_set.action(change), change_set.diff(change));
                serde_json::json!({ "file": change.path, "change": action, "diff": diff })
            })
            .collect();
        anstream::println!(
            "{}",
            serde_json::json!({ "written": writes, "files": files, "findings": change_set.findings })
        );
    } else {
        for change in change_set.files() {
            anstream::println!("{} {}", change_set.action(change), change.path);
            if arguments.diff {
                anstream::print!("{}", change_set.diff(change));
            }
        }
        report(&change_set.findings, &contracts.sources, false, false);
        let (count, total) = (change_set.files().count(), plan.files.len());
        match (count, writes) {
            (0, _) => anstream::println!("up to date: {total} files"),
            (_, true) => anstream::println!("wrote {count} of {total} files"),
            (_, false) => anstream::println!("{count} of {total} files would be written: run cargo martgen generate"),
        }
    }
    let is_stale = arguments.check && !change_set.changes.is_empty();
    Ok(if change_set.findings.is_empty() && !is_stale { CLEAN } else { FINDINGS })
}
