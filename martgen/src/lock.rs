//! `martgen.lock`: the list of written files. It makes manual edits and orphans detectable.
//!
//! Each file has a line. The lines are sorted and have five fields, separated by tabs: kind, digest of the content, digest of the
//! raw rendering, path, source.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::failure::Failure;
use crate::kind::Kind;
use crate::tree::Tree;

/// The path of the lock.
pub(crate) const LOCK: &str = "martgen.lock";

const HEAD: &str = "# Written by martgen: kind, digest of the content, digest of the rendering, file, source.\n";

/// The line of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    /// The digest of the written content.
    pub(crate) content: String,
    /// The digest of the rendering before it was formatted.
    pub(crate) raw: String,
    /// The template and the contracts that it was rendered from.
    pub(crate) source: String,
}

/// The entries of all written files, by their paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) files: BTreeMap<String, Entry>,
}

impl Lock {
    /// Reads the lock. It is empty if the tree has none.
    pub(crate) fn read(tree: &Tree) -> Result<Self> {
        let text = tree.read(LOCK)?.unwrap_or_default();
        let mut files = BTreeMap::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let parts: Vec<&str> = line.split('\t').collect();
            let entry = match parts.as_slice() {
                [kind, content, raw, path, source] => {
                    let kind = Kind::ALL.into_iter().find(|known| known.name() == *kind);
                    kind.map(|kind| {
                        let entry = Entry {
                            kind,
                            content: (*content).to_owned(),
                            raw: (*raw).to_owned(),
                            source: (*source).to_owned(),
                        };
                        ((*path).to_owned(), entry)
                    })
                }
                _ => None,
            };
            let (path, entry) = entry.ok_or_else(|| {
                Failure::usage(
                    format!("{LOCK}:{}: the line is invalid", index + 1),
                    "after a merge conflict, take the whole file from either side and run cargo martgen generate",
                )
            })?;
            files.insert(path, entry);
        }
        Ok(Self { files })
    }

    /// Returns the text of the lock.
    pub(crate) fn text(&self) -> String {
        let line = |(path, entry): (&String, &Entry)| {
            let Entry { kind, content, raw, source } = entry;
            format!("{}\t{content}\t{raw}\t{path}\t{source}\n", kind.name())
        };
        HEAD.to_owned() + &self.files.iter().map(line).collect::<String>()
    }
}
