//! The rules of the payment service, without I/O.
//!
//! [`domain`] has the payment and its transitions, [`ports`] the store and the providers, [`application`] the use cases.

pub mod application;
pub mod domain;
pub mod ports;

#[cfg(feature = "testing")]
pub mod conformance;
#[cfg(feature = "testing")]
pub mod memory;

pub use application::UseCases;
