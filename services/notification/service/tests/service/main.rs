//! Tests of the notification service with real PostgreSQL and Kafka. They are one program, because each program links the Kafka
//! client.

mod mails;
mod start;
mod store;
mod twilio;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_notification-service");
