//! The settings of this service only; mart_chassis::Config has those of every service.

use std::time::Duration;

use inventory_core::application::RESERVATION_TTL;
use mart_chassis::config::SettingsReader;

/// The settings of the inventory service, from environment variables.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `RESERVATION_TTL`: the time after which a reservation that is not committed expires.
    pub reservation_ttl: time::Duration,
    /// `RESERVATION_EXPIRY_INTERVAL`: the time between two searches for expired reservations.
    pub reservation_expiry_interval: Duration,
}

impl Settings {
    /// Reads the settings and reports their faults to the reader.
    pub fn read(env: &mut SettingsReader) -> Self {
        Self {
            reservation_ttl: env.setting_duration("RESERVATION_TTL", RESERVATION_TTL),
            reservation_expiry_interval: env.setting_duration("RESERVATION_EXPIRY_INTERVAL", Duration::from_secs(5)),
        }
    }
}
