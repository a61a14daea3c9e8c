//! A gateway for development: it reads Kong's declarative file and responds as Kong does.
//!
//! It implements the behaviour of Kong 3.9 that `kong/facts.yml` records. It rejects a file with anything else, so that no plugin
//! is missing unnoticed. It must not be exposed to others.

mod answer;
mod config;
mod effective;
mod jwt;
mod limits;
mod nginx;
mod pipeline;
mod process;
mod routes;
mod serve;
mod state;

pub use effective::effective;
pub use process::{GatewayProcess, Refresher};
pub use serve::serve;
pub use state::Gateway;
