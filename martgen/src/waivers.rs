//! `martgen.waivers`: the managed files that differ from their template on purpose, with the reasons.
//!
//! Each file has a line. The lines are sorted and have three fields, separated by tabs: file, digest of the rendering for which the
//! waiver was recorded, reason.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::failure::Failure;
use crate::tree::Tree;

/// The path of the file.
pub(crate) const WAIVERS: &str = "martgen.waivers";

const HEAD: &str = "# Written by cargo martgen waive: file, digest of the rendering, reason.\n";

/// The permission for an edited managed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiver {
    /// The digest of the rendering for which it was recorded.
    pub(crate) raw: String,
    pub(crate) reason: String,
}

/// Waivers by file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Waivers(pub(crate) BTreeMap<String, Waiver>);

impl Waivers {
    /// Reads the waivers.
    pub(crate) fn read(tree: &Tree) -> Result<Self> {
        let text = tree.read(WAIVERS)?.unwrap_or_default();
        let mut all = BTreeMap::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let parts: Vec<&str> = line.splitn(3, '\t').collect();
            let [file, raw, reason] = parts.as_slice() else {
                let what = format!("{WAIVERS}:{}: the line is invalid", index + 1);
                return Err(Failure::usage(what, "remove it and record the waiver again with cargo martgen waive"));
            };
            all.insert((*file).to_owned(), Waiver { raw: (*raw).to_owned(), reason: (*reason).to_owned() });
        }
        Ok(Self(all))
    }

    /// Returns the text of the file, or `None` if there are no waivers.
    pub(crate) fn text(&self) -> Option<String> {
        let line = |(file, waiver): (&String, &Waiver)| format!("{file}\t{}\t{}\n", waiver.raw, waiver.reason);
        (!self.0.is_empty()).then(|| HEAD.to_owned() + &self.0.iter().map(line).collect::<String>())
    }
}
