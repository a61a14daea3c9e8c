// Rendered by `cargo martgen generate` from proto/mart/product/v1; changes are made there.

//! The Rust form of the contract.

pub mod events;
pub mod fixtures;
pub(crate) mod http;

const _: () = assert!(
    mart_proto::digest(&[
        include_str!("../../../../../proto/mart/options/v1/options.proto"),
        include_str!("../../../../../proto/mart/product/v1/product.proto"),
        include_str!("../../../../../proto/mart/product/v1/product_events.proto"),
        include_str!("../../../../../proto/mart/product/v1/product_service.proto"),
        include_str!("../../../../../proto/mart/type/v1/money.proto"),
    ]) == 0x847a_6acb_452a_60e8,
    "the contract has changed: run `cargo martgen generate`"
);
