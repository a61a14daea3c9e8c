//! From contracts to the model of the mart.

mod build;
pub(crate) mod model;
pub(crate) mod names;
pub(crate) mod rules;
pub(crate) mod source;

pub(crate) use build::model;
