//! The rules of the order service, without I/O.
//!
//! [`domain`] has the order and its transitions, [`ports`] the store, [`application`] the use cases.

pub mod application;
pub mod domain;
pub mod ports;

#[cfg(feature = "testing")]
pub mod conformance;

#[cfg(feature = "testing")]
pub mod memory;

pub use application::UseCases;
