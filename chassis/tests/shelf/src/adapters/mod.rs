//! Between the core and the world.

pub mod events;
pub mod postgres;
