//! The error that reports all faults of a service's settings.

use std::fmt;

/// All faults of a service's settings. It contains no secret.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    pub(super) service: &'static str,
    pub(super) faults: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.faults.len();
        let what = if count == 1 { "setting is" } else { "settings are" };
        write!(f, "{} can't start: {count} {what} invalid", self.service)?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}
