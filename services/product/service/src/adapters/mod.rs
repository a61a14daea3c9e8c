//! The adapters: each connects the core to one technology. They share the mappings in `proto` and `rows` only.

pub mod events;
pub(crate) mod http;
pub mod postgres;
mod proto;
pub mod rows;
