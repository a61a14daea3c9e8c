//! The user service on real PostgreSQL and Kafka. One program, because each links the Kafka client anew.

mod http;
mod start;
mod store;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_user-service");
