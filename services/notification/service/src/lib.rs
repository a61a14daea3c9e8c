//! The notification service: adapters around `notification-core`, connected by [`wiring`].

pub mod adapters;
pub mod generated;
pub mod settings;
pub mod wiring;
