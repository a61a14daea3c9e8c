//! The smallest service that reacts to another's events: it keeps the name of every product, and a log of what it applied.
//!
//! A fixture of chassis's tests. Its core is so small that it is a module here.

pub mod adapters;
pub mod core;
pub mod generated;
pub mod settings;
pub mod wiring;
