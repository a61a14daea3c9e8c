//! The product service on real PostgreSQL and Kafka. One program, because each links the Kafka client anew.

mod app;
mod http;
mod relay;
mod store;
