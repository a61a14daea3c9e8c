//! The adapters. None imports another.

pub mod events;
pub(crate) mod http;
pub mod postgres;
mod proto;
