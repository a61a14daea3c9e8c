//! Contracts: their sources, their compilation, and the model that is built from them.

mod build;
pub(crate) mod model;
pub(crate) mod names;
pub(crate) mod rules;
pub(crate) mod source;

pub(crate) use build::model;
