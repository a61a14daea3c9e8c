//! The settings of this service only; mart_chassis::Config has those of every service.

use std::time::Duration;

use mart_chassis::config::SettingsReader;
use order_core::application::PAYMENT_WINDOW;

/// The settings of the order service, from environment variables.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `PAYMENT_WINDOW`: the time that a customer has to pay.
    pub payment_window: time::Duration,
    /// `ORDER_EXPIRY_INTERVAL`: the time between two searches for orders whose payment deadline has passed.
    pub order_expiry_interval: Duration,
}

impl Settings {
    /// Reads the settings and reports their faults to the reader.
    pub fn read(env: &mut SettingsReader) -> Self {
        Self {
            payment_window: env.setting_duration("PAYMENT_WINDOW", PAYMENT_WINDOW),
            order_expiry_interval: env.setting_duration("ORDER_EXPIRY_INTERVAL", Duration::from_secs(5)),
        }
    }
}
