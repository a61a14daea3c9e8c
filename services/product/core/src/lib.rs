//! The product use_cases: every rule of it, and no I/O.
//!
//! [`domain`] has the product and what can happen to it, [`ports`] what it needs from a store, [`application`] one use case
//! per file. How requests come in and where products are kept is deliberately unknown here.

pub mod application;
pub mod domain;
pub mod ports;

#[cfg(feature = "testing")]
pub mod conformance;
#[cfg(feature = "testing")]
pub mod memory;

pub use application::UseCases;
