//! The settings of this service only; mart_chassis::Config has those of every service.

use mart_chassis::config::SettingsReader;

/// The settings of the shelf service, from environment variables.
#[derive(Debug, Clone)]
pub struct Settings {}

impl Settings {
    /// Reads the settings and reports their faults to the reader.
    pub fn read(_env: &mut SettingsReader) -> Self {
        Self {}
    }
}
