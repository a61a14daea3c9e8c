//! The rules of the notification service, without I/O.
//!
//! [`domain`] has notifications and their delivery, [`ports`] the store, the renderer and the senders, [`application`] the use
//! cases.

pub mod application;
pub mod domain;
pub mod ports;

#[cfg(feature = "testing")]
pub mod conformance;
#[cfg(feature = "testing")]
pub mod memory;

pub use application::UseCases;
