//! The runtime that all services share: HTTP, database, outbox relay, consumer, telemetry and shutdown.
//!
//! A service's `main` reads its [`Config`], starts [`telemetry`], lets its wiring create the adapters and calls [`run::serve`].
//! From then on this crate owns the sockets, the outbox [relay], the [consumer] and the graceful shutdown.
//!
//! This crate has no business rules: those are in the services' cores.

pub mod auth;
pub mod clock;
pub mod config;
pub mod consumer;
pub mod convert;
pub mod db;
mod failpoints;
pub mod healthcheck;
pub mod http;
mod internal;
mod kafka;
pub mod record;
pub mod relay;
pub mod run;
pub mod telemetry;
pub mod trace;
pub mod wiring;

pub use config::Config;
pub use db::Database;
pub use record::Record;
