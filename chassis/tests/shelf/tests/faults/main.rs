//! Tests of the consumer, of commits and of the log under faults.

mod consumer;
mod disconnects;
mod fixture;
mod healthcheck;
mod logs;
mod migrations;
mod statements;
