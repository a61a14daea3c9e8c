//! The payment service: every rule of it, and no I/O.
//!
//! [`domain`] has what it is about and what can happen, [`ports`] what it needs from a store and from those who take the money,
//! [`application`] the use cases. How requests come in and where things are kept is deliberately unknown here.

pub mod application;
pub mod domain;
pub mod ports;

#[cfg(feature = "testing")]
pub mod conformance;
#[cfg(feature = "testing")]
pub mod memory;

pub use application::UseCases;
