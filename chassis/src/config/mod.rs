//! Typed settings from the environment. All faults are reported at once, and secrets are never printed.

mod error;
mod limits;
mod reader;
mod retries;
mod settings;
#[cfg(test)]
mod tests;

pub use error::ConfigError;
pub use limits::Limits;
pub use reader::SettingsReader;
pub use retries::Retries;
pub use settings::Config;
