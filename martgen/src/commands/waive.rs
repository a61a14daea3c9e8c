//! `waive`: records that a managed file differs from its template on purpose.

use anyhow::Result;

use super::pipeline::{Contracts, Writer};
use crate::cli::Waive;
use crate::digest;
use crate::failure::{CLEAN, Failure};
use crate::journal::Change;
use crate::kind::Kind;
use crate::lock::Lock;
use crate::plan::{self, State};
use crate::tree::Tree;
use crate::waivers::{WAIVERS, Waiver, Waivers};

pub(super) fn run(tree: &Tree, arguments: &Waive) -> Result<u8> {
    let reason = arguments.reason.split_whitespace().collect::<Vec<_>>().join(" ");
    if reason.is_empty() {
        return Err(Failure::usage("a waiver needs a reason", "add --reason \"why this service differs\""));
    }
    let writer = Writer::open(tree, true)?;
    let contracts = match Contracts::checked(tree, false)? {
        Ok(contracts) => contracts,
        Err(code) => return Ok(code),
    };
    let plan = contracts.render()?;
    let file = arguments.file.trim_start_matches("./");
    let Some(planned) = plan.files.get(file) else {
        return Err(Failure::usage(
            format!("{file} is not a file that martgen maintains"),
            "give its path from the top of the tree, as in martgen.lock",
        ));
    };
    if planned.kind != Kind::Managed {
        return Err(Failure::usage(
            format!("{file} is a generated file: only managed files can be waived"),
            "change the contract or the template instead",
        ));
    }
    let current = tree.read(file)?;
    let lock = Lock::read(tree)?;
    if plan::state(planned, lock.files.get(file), current.as_deref()) != State::Edited {
        return Err(Failure::usage(format!("{file} was not edited"), "edit it first, then record the reason"));
    }
    let mut waivers = Waivers::read(tree)?;
    let raw = digest::bytes(planned.raw.as_bytes());
    waivers.0.insert(file.to_owned(), Waiver { raw, reason });
    writer.write(&[Change { path: WAIVERS.to_owned(), content: waivers.text() }])?;
    anstream::println!("{file} is kept as it is; the reason is recorded in {WAIVERS}");
    Ok(CLEAN)
}
