//! Between the core and the world; each adapter knows one of them and none of the others.

pub mod events;
pub(crate) mod http;
pub mod postgres;
mod proto;
