//! The product service: adapters around `product-core`, put together by [`wiring`].

pub mod adapters;
pub mod generated;
pub mod settings;
pub mod wiring;
