// Rendered by `cargo martgen generate` from proto/mart/user/v1; changes are made there.

//! The Rust form of the contract.

pub mod events;
pub mod fixtures;
pub(crate) mod http;

const _: () = assert!(
    mart_proto::digest(&[
        include_str!("../../../../../proto/mart/options/v1/options.proto"),
        include_str!("../../../../../proto/mart/type/v1/address.proto"),
        include_str!("../../../../../proto/mart/user/v1/user.proto"),
        include_str!("../../../../../proto/mart/user/v1/user_events.proto"),
        include_str!("../../../../../proto/mart/user/v1/user_service.proto"),
    ]) == 0xe4d7_ed6a_ff7e_0c48,
    "the contract has changed: run `cargo martgen generate`"
);
