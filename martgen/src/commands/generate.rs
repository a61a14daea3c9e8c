//! Writing what the contracts ask for.

use anyhow::Result;

use super::{Contracts, tell};
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
    // Whoever writes finishes first what was begun.
    let journal = if writes { Some(Journal::open(tree)?) } else { None };
    let contracts = Contracts::read(tree)?;
    if contracts.broken() {
        return Ok(tell(&contracts.findings, &contracts.sources, json, true));
    }
    let plan = render::mart(&contracts.mart, &contracts.sources, &contracts.pool)?;
    let change_set = change_set(tree, &plan, &Lock::read(tree)?, &Waivers::read(tree)?, arguments.overwrite)?;
    if let Some(journal) = journal {
        journal.write(&change_set.changes)?;
    }
    if json {
        let files: Vec<_> = change_set
            .files()
            .map(|change| serde_json::json!({ "file": change.path, "change": change_set.word(change), "diff": change_set.diff(change) }))
            .collect();
        anstream::println!(
            "{}",
            serde_json::json!({ "written": writes, "files": files, "findings": change_set.findings })
        );
    } else {
        for change in change_set.files() {
            anstream::println!("{} {}", change_set.word(change), change.path);
            if arguments.diff {
                anstream::print!("{}", change_set.diff(change));
            }
        }
        tell(&change_set.findings, &contracts.sources, false, false);
        let count = change_set.files().count();
        let (word, rest) = if writes { ("written", "") } else { ("to write", ": run cargo martgen generate") };
        match count {
            0 => anstream::println!("everything is as the contracts say: {} files", plan.files.len()),
            _ => anstream::println!("{count} of {} files {word}{rest}", plan.files.len()),
        }
    }
    let would = arguments.check && !change_set.changes.is_empty();
    Ok(if change_set.findings.is_empty() && !would { CLEAN } else { FINDINGS })
}
