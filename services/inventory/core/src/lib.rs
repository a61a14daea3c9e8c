//! The rules of the inventory service, without I/O.
//!
//! [`domain`] has stock items, reservations and the ledger, [`ports`] the store, [`application`] the use cases.

pub mod application;
pub mod domain;
pub mod ports;

#[cfg(feature = "testing")]
pub mod conformance;

#[cfg(feature = "testing")]
pub mod memory;

pub use application::UseCases;
