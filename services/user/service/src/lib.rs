//! The user service: adapters around `user-core`, connected by [`wiring`].

pub mod adapters;
pub mod commands;
pub mod generated;
pub mod settings;
pub mod wiring;
