//! The adapters. Each connects the core to one technology or one provider.

pub mod events;
pub(crate) mod http;
pub mod payfast;
pub mod postgres;
mod proto;
pub mod rows;
pub mod sandbox;
pub mod stripe;
