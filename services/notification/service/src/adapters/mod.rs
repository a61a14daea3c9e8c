//! The adapters. Each connects the core to one external system and is independent of the others.

pub mod events;
pub(crate) mod http;
pub mod postgres;
mod proto;
pub mod renderer;
pub mod rows;
pub mod sms;
pub mod smtp;
