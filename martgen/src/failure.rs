//! Failures of a run, and the exit codes.

use std::fmt;

/// 0: success.
pub(crate) const CLEAN: u8 = 0;
/// 1: there are findings.
pub(crate) const FINDINGS: u8 = 1;
/// 2: the command line or a contract is invalid.
pub(crate) const USAGE: u8 = 2;
/// 3: the command failed or was refused.
pub(crate) const EXIT_FAILURE: u8 = 3;

/// A failure with its exit code and a hint how to fix it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) what: String,
    pub(crate) help: String,
}

impl Failure {
    /// Returns a failure because the command line or a contract is invalid.
    pub(crate) fn usage(what: impl Into<String>, help: impl Into<String>) -> anyhow::Error {
        Self { code: USAGE, what: what.into(), help: help.into() }.into()
    }

    /// Returns a failure because the command is not allowed now, or because a file or another program prevents it.
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
