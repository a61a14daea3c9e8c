//! `generate`: writes the files that follow from the contracts.

use anyhow::Result;

use super::pipeline::{self, Contracts, Writer};
use crate::cli::Generate;
use crate::failure::{CLEAN, FINDINGS};
use crate::tree::Tree;

pub(super) fn run(tree: &Tree, arguments: &Generate, json: bool) -> Result<u8> {
    let writes = !(arguments.dry_run || arguments.diff || arguments.check);
    let writer = Writer::open(tree, writes)?;
    let contracts = match Contracts::checked(tree, json)? {
        Ok(contracts) => contracts,
        Err(code) => return Ok(code),
    };
    let plan = contracts.render()?;
    let change_set = pipeline::changes(tree, &plan, arguments.overwrite)?;
    writer.write(&change_set.changes)?;
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
        contracts.report(&change_set.findings, false);
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
