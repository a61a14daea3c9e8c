//! How a run ends badly, and the exit code of each way.

use std::fmt;

/// 0: everything is as it shall be.
pub(crate) const CLEAN: u8 = 0;
/// 1: there are findings.
pub(crate) const FINDINGS: u8 = 1;
/// 2: the command line or a contract is wrong.
pub(crate) const USAGE: u8 = 2;
/// 3: it could not be done.
pub(crate) const EXIT_FAILURE: u8 = 3;

/// A failure with its exit code and the way to mend it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) what: String,
    pub(crate) help: String,
}

impl Failure {
    /// The command line or a contract is wrong.
    pub(crate) fn usage(what: impl Into<String>, help: impl Into<String>) -> anyhow::Error {
        Self { code: USAGE, what: what.into(), help: help.into() }.into()
    }

    /// It is refused, or a file or a program stood in the way.
    pub(crate) fn refused(what: impl Into<String>, help: impl Into<String>) -> anyhow::Error {
        Self { code: EXIT_FAILURE, what: what.into(), help: help.into() }.into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {}
