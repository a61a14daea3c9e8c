//! All services together on real PostgreSQL and Kafka.

mod faults;
mod planted;
mod stack;
mod story;
