//! The adapters: event handlers and PostgreSQL.

pub mod events;
pub mod postgres;
