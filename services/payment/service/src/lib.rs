//! The payment service: adapters around `payment-core`, connected by [`wiring`].

pub mod adapters;
pub mod generated;
pub mod settings;
pub mod signature;
pub mod transport;
pub mod wiring;
