//! The product service on real PostgreSQL and Kafka. One test program, because every program links the Kafka client again.

mod app;
mod http;
mod limits;
mod relay;
mod store;
mod tokens;
