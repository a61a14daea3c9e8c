//! The smallest service that consumes events: it stores the name of every product and a log of the applied events.
//!
//! It is a fixture of the chassis's tests. Its core is a module here, because it is small.

pub mod adapters;
pub mod core;
pub mod generated;
pub mod settings;
pub mod wiring;
