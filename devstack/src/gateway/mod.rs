//! A gateway for one developer's machine: it reads Kong's declarative file and answers as Kong does.
//!
//! It imitates what `kong/facts.yml` has of a real Kong 3.9 and refuses to start on anything else, so that nobody takes a
//! plugin for working that is not there. It is no gateway for anything that others can reach.

mod answer;
mod config;
mod effective;
mod jwt;
mod limits;
mod pipeline;
mod process;
mod routes;
mod serve;

pub use effective::effective;
pub use process::{Refresher, Running};
pub use serve::{Gateway, serve};
