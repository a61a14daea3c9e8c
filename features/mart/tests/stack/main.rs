//! All services together on real PostgreSQL and Kafka.

mod faults;
mod injected_faults;
mod stack;
mod timeline;
mod workloads;
