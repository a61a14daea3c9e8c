//! What every service of the mart shares at run time and no service owns.
//!
//! A service's `main` reads its [`Config`], starts [`telemetry`], lets its wiring put adapters together and hands the
//! result to [`run::serve`]. From then on this crate owns the sockets, the outbox [relay], the
//! [consumer] and the drain.
//!
//! There is deliberately no word of the business here, and no rule of it: those are in the services' cores.

pub mod auth;
pub mod clock;
pub mod config;
pub mod consumer;
pub mod db;
pub mod http;
mod internal;
mod kafka;
mod points;
pub mod record;
pub mod relay;
pub mod run;
pub mod telemetry;
pub mod trace;
pub mod wire;

pub use config::Config;
pub use db::Database;
pub use record::Record;
