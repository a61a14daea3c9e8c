//! The payment service with PostgreSQL and Kafka. It is one test program, because each program links the Kafka client again.

mod crash;
mod events;
mod payfast;
mod start;
mod store;
mod stripe;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_payment-service");
