//! The user service on real PostgreSQL and Kafka. One test program, because every program links the Kafka client again.

mod http;
mod start;
mod store;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_user-service");
