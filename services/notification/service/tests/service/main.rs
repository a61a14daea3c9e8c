//! The notification service on real PostgreSQL and Kafka. One program, because each links the Kafka client anew.

mod mails;
mod start;
mod store;
mod twilio;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_notification-service");
