//! The order service on real PostgreSQL and Kafka. One test program, because every program links the Kafka client again.

mod fixture;
mod http;
mod saga;
mod store;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_order-service");
