//! The payment service on real PostgreSQL and Kafka. One program, because each links the Kafka client anew.

mod crash;
mod events;
mod payfast;
mod start;
mod store;
mod stripe;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_payment-service");
