//! The payment service: adapters around `payment-core`, put together by [`wiring`].

pub mod adapters;
pub mod generated;
pub mod settings;
pub mod signature;
pub mod transport;
pub mod wiring;
