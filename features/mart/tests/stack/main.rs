//! All services together on real PostgreSQL and Kafka.

mod deeds;
mod faults;
mod planted;
mod stack;
mod story;
