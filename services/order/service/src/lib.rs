//! The order service: adapters around `order-core`, connected by [`wiring`].

pub mod adapters;
pub mod generated;
pub mod settings;
pub mod wiring;
