// In the form that `cargo martgen generate` will render for a service that consumes; kept by hand until then.

//! What the contract says, in Rust.

pub mod events;
