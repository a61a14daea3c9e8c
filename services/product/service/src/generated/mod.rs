// In the form that `cargo martgen generate` will render from proto/mart/product/v1; kept by hand until then.

//! What the contract says, in Rust.

pub mod events;
pub mod http;
