//! The rules of the user service, without I/O.
//!
//! [`domain`] has users, sessions and throttles, [`ports`] the store, the hasher and the source of secrets, [`application`] the use
//! cases.

pub mod application;
pub mod domain;
pub mod ports;

#[cfg(feature = "testing")]
pub mod conformance;
#[cfg(feature = "testing")]
pub mod memory;

pub use application::UseCases;
