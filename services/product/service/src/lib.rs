//! The product service: adapters around `product-core`, connected by [`wiring`].

pub mod adapters;
pub mod generated;
pub mod settings;
pub mod wiring;
