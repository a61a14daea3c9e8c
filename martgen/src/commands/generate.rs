//! Writing what the contracts ask for.

use anyhow::Result;

use super::{Contracts, tell};
use crate::cli::Generate;
use crate::failure::{CLEAN, FINDINGS};
use crate::journal::Journal;
use crate::lock::Lock;
use crate::outlook::outlook;
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
    let outlook = outlook(tree, &plan, &Lock::read(tree)?, &Waivers::read(tree)?, arguments.overwrite)?;
    if let Some(journal) = journal {
        journal.write(&outlook.changes)?;
    }
    if json {
        let files: Vec<_> = outlook
            .files()
            .map(|change| serde_json::json!({ "file": change.path, "change": outlook.word(change), "diff": outlook.diff(change) }))
            .collect();
        anstream::println!(
            "{}",
            serde_json::json!({ "written": writes, "files": files, "findings": outlook.findings })
        );
    } else {
        for change in outlook.files() {
            anstream::println!("{} {}", outlook.word(change), change.path);
            if arguments.diff {
                anstream::print!("{}", outlook.diff(change));
            }
        }
        tell(&outlook.findings, &contracts.sources, false, false);
        let count = outlook.files().count();
        let (word, rest) = if writes { ("written", "") } else { ("to write", ": run cargo martgen generate") };
        match count {
            0 => anstream::println!("everything is as the contracts say: {} files", plan.files.len()),
            _ => anstream::println!("{count} of {} files {word}{rest}", plan.files.len()),
        }
    }
    let would = arguments.check && !outlook.changes.is_empty();
    Ok(if outlook.findings.is_empty() && !would { CLEAN } else { FINDINGS })
}
