//! The notification service: every rule of it, and no I/O.
//!
//! [`domain`] has what customers are told and what can become of it, [`ports`] what it needs from a store, from who writes and
//! from who carries, [`application`] the use cases. How requests come in and where things are kept is deliberately unknown here.

pub mod application;
pub mod domain;
pub mod ports;

#[cfg(feature = "testing")]
pub mod conformance;
#[cfg(feature = "testing")]
pub mod memory;

pub use application::UseCases;
