//! The mart on real servers: every service is a process of its own behind the gateway, with the PostgreSQL and the Kafka of the run.
//! Scenarios share it and run side by side, each with users, products and orders of its own. A scenario waits for a condition: every
//! consumer has processed all events about its aggregates, and no further ones follow.

mod age;
mod dead_letters;
mod jobs;
mod log;
mod offsets;
mod requests;
mod running;
mod scenario;
mod settle;
mod start;

pub use running::Running;
pub use scenario::OnServers;
