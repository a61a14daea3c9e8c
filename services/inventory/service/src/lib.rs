//! The inventory service: adapters around `inventory-core`, connected by [`wiring`].

pub mod adapters;
pub mod generated;
pub mod settings;
pub mod wiring;
